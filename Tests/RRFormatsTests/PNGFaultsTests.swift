import RRFormats
import RRSchemas
import TestSupport
import Testing

/// `Fixtures/formats/png-faults`: what OpenCV reads of each file.
@Suite("PNG files with harmless faults")
struct PNGFaultsTests {
    static func bytes(_ name: String) throws -> [UInt8] {
        try FileBytes.read(Fixtures.path("formats/png-faults/\(name).png"))
    }

    @Test(
        "pixels are those that OpenCV reads, and the fault is named",
        arguments: [
            ("text-before", PNGFaults.checksum), ("text-after", .checksum), ("unknown", .checksum),
            ("gamma", .checksum), ("exif", .checksum), ("more-rows", .surplus), ("more-data", .surplus),
            ("more-in-parts", .surplus), ("more-interlaced", .surplus), ("more-bits", .surplus),
            ("palette-transparency", .transparency), ("palette-transparency-8", .transparency),
            ("gray-transparency", .transparency), ("rgb-transparency", .transparency),
            ("transparency-checksum", .checksum), ("several", [.checksum, .transparency, .surplus]),
        ] as [(String, PNGFaults)])
    func mended(name: String, faults: PNGFaults) throws {
        let expected = try JSONValue(
            parsing: FileBytes.read(Fixtures.path("formats/png-faults/expected.json")))[name]
        let bytes = try Self.bytes(name)
        let image = try PNGDecoder.decode(bytes, path: name)
        #expect(image.channels == expected?["channels"]?.integerValue)
        #expect(image.samples.map { .integer(Int($0)) } == expected?["samples"]?.arrayValue)
        #expect(image.faults == faults)
        let header = try bytes.withUnsafeBytes { try PNGDecoder.header(of: $0, path: name) }
        #expect(header.byteCount == image.samples.count)
        #expect(try PNGDecoder.decodeStored(bytes, path: name).faults == faults)
        // The fault of an orientation's chunk leaves the image upright.
        #expect(bytes.withUnsafeBytes { PNGOrientation(of: $0) } == .topLeft)
    }

    @Test("a sound file has no faults")
    func sound() throws {
        #expect(try PNGDecoder.decode(PNGTests.bytes("rgb-8-interlaced"), path: "").faults == [])
        #expect(try PNGDecoder.decode(PNGTests.bytes("rgb-8-transparent-color"), path: "").channels == 4)
    }

    @Test(
        "damage of pixels is refused, whatever harmless faults stand beside it",
        arguments: ["data", "adler", "few", "flood", "critical", "cut"])
    func refused(name: String) throws {
        let error = #expect(throws: FormatError.self) {
            try PNGDecoder.decode(Self.bytes("refused-\(name)"), path: name)
        }
        #expect(error?.code == .malformed)
    }
}
