import RRFormats
import TestSupport
import Testing

@Suite("Tar")
struct TarWriterTests {
    private static let members: [(String, [UInt8])] = [
        ("a%2Fb.png", (0..<768).map { UInt8(truncatingIfNeeded: $0) }), ("a%2Fb.cls", Array("7".utf8)),
        (String(repeating: "k", count: 96) + ".cls", []),
        (String(repeating: "k", count: 97) + ".cls", Array(repeating: UInt8(ascii: "x"), count: 512)),
        (
            String(repeating: "n", count: 1000) + ".mask.png",
            Array(repeating: UInt8(ascii: "y"), count: 511)
        ),
    ]

    @Test("an archive is Python's own, byte for byte, short of the zeros at its end")
    func bytes() throws {
        let folder = try TemporaryFolder()
        let tar = try TarWriter(creating: folder.path("a.tar"), path: "a.tar")
        for (name, bytes) in Self.members { try tar.add(name, bytes) }
        try tar.close()
        let bytes = try FileBytes.read(folder.path("a.tar"))
        let expected = try FileBytes.read(Fixtures.path("formats/tar/members.tar"))
        #expect(bytes.count == tar.byteCount)
        #expect(bytes.count.isMultiple(of: 512))
        #expect(bytes.suffix(1024).allSatisfy { $0 == 0 })
        let isPythons = expected.starts(with: bytes)
        #expect(isPythons)
        let endsInZeros = expected.dropFirst(bytes.count).allSatisfy { $0 == 0 }
        #expect(endsInZeros)
    }

    @Test("an archive that cannot be created is an error with its path")
    func unwritable() throws {
        let folder = try TemporaryFolder()
        let error = #expect(throws: FormatError.self) {
            try TarWriter(creating: folder.path("none/a.tar"), path: "a.tar")
        }
        #expect(error?.code == .cannotWrite)
        #expect(error?.path == "a.tar")
    }
}
