import RRFormats
import RRTensor
import TestSupport
import Testing

@Suite("Large arrays in archives, inflated when they are read")
struct DeferredArrayTests {
    /// Of zeros, behind a header in a block of its own.
    private static let zeroCount = 40_040_000
    private static let deflatedZeros = ArchiveBuilder.deflatedZeros(zeroCount)

    private func archive(shape: String, checksum: UInt32? = nil) throws -> String {
        let header = try ArchiveBuilder.npy(shape: shape).make()
        let stream =
            [0] + ArchiveBuilder.little(header.count, 2) + ArchiveBuilder.little(~header.count, 2) + header
            + Self.deflatedZeros
        let whole = header + [UInt8](repeating: 0, count: Self.zeroCount)
        let member = ArchiveBuilder.Member(
            method: 8, stored: stream, size: whole.count,
            checksum: checksum ?? whole.withUnsafeBytes { CRC32.checksum(of: $0) })
        return try folder.write(ArchiveBuilder.zip([member]).make(), to: "x.npz")
    }

    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test("the shape is told, and rows are read")
    func rows() throws {
        let array = try NPZFile(path: archive(shape: "(40040, 1000)")).array("a")
        #expect(array.shape.dimensions == [40_040, 1000])
        var row = [UInt8](repeating: 7, count: 1000)
        try row.withUnsafeMutableBytes { try array.read(rows: 40_039..<40_040, into: $0) }
        #expect(row.allSatisfy { $0 == 0 })
    }

    @Test("a wrong checksum shows when the elements are read")
    func checksum() throws {
        let array = try NPZFile(path: archive(shape: "(40040, 1000)", checksum: 1)).array("a")
        var row = [UInt8](repeating: 7, count: 1000)
        let error = #expect(throws: FormatError.self) {
            try row.withUnsafeMutableBytes { try array.read(rows: 0..<1, into: $0) }
        }
        #expect(error?.code == .malformed && error?.message.description.contains("checksum") == true)
    }

    @Test("a header that the size does not fit is refused before anything is inflated")
    func header() throws {
        let file = try NPZFile(path: archive(shape: "(40040, 1001)"))
        let error = #expect(throws: FormatError.self) { try file.array("a") }
        #expect(error?.code == .malformed && error?.message.description.contains("(40040, 1001)") == true)
    }
}
