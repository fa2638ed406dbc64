import Foundation
import RRDatasets
import RRFormats
import RRTensor
import TestSupport
import Testing

@Suite("damaged datasets and mask sets")
struct DamageTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    /// The places of the object headers of a file, which begin with `OHDR` and end in a checksum.
    private static func objectHeaders(in bytes: Data) -> [Int] {
        let signature = Array("OHDR".utf8)
        return bytes.indices.dropLast(4).filter { bytes[$0..<$0 + 4].elementsEqual(signature) }
    }

    @Test("an array that is there and cannot be opened is an error, and none that is missing")
    func spoiledHeaders() throws {
        var file = try RawFile.dataset()
        file.arrays["/group"] = .integers([0, 0, 1], [3])
        let path = try file.write(to: folder.path("d.h5"))
        let sound = try Data(contentsOf: URL(filePath: path))
        let headers = Self.objectHeaders(in: sound)
        // The root, and the six arrays.
        #expect(headers.count == 7)
        for header in headers {
            var bytes = sound
            bytes[header + 12] ^= 1
            try bytes.write(to: URL(filePath: path))
            let error = try #require(throws: FormatError.self) { try Dataset(path: path).ids() }
            #expect(error.code == .malformed)
        }
    }
}
