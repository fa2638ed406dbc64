import RRFormats
import RRSchemas
import TestSupport
import Testing

/// `Fixtures/formats/jpeg`: what Pillow makes of each file.
@Suite("JPEG files")
struct JPEGTests {
    static func bytes(_ name: String) throws -> [UInt8] {
        try FileBytes.read(Fixtures.path("formats/jpeg/\(name).jpg"))
    }

    static func expected(_ name: String) throws -> JSONValue {
        let all = try JSONValue(parsing: FileBytes.read(Fixtures.path("formats/jpeg/expected.json")))
        return try #require(all[name])
    }

    struct Decoded {
        let storage: JPEGStorage
        let faults: PNGFaults
        let samples: [UInt8]
    }

    static func decode(
        _ bytes: [UInt8], completes: Bool = false, _ arrangement: PNGArrangement = .interleaved
    ) throws -> Decoded {
        let path = "x.jpg"
        return try bytes.withUnsafeBytes { bytes in
            let storage = try JPEGDecoder.storage(of: bytes, path: path)
            var samples = [UInt8](repeating: 0, count: storage.header.byteCount)
            let faults = try samples.withUnsafeMutableBytes {
                try JPEGDecoder.decode(
                    bytes, path: path, completes: completes, arrangement: arrangement, into: $0)
            }
            return Decoded(storage: storage, faults: faults, samples: samples)
        }
    }

    @Test(
        "pixels, orientation and profile are what Pillow finds",
        arguments: [
            "gray", "gray-progressive", "colour-444", "colour-422", "colour-420", "colour-420-progressive",
            "colour-quality-1", "colour-restarts", "colour-optimised", "rgb", "cmyk", "cmyk-progressive",
            "ycck",
            "profile", "turned-6", "turned-3", "comment", "trailer",
        ])
    func likePillow(name: String) throws {
        let expected = try Self.expected(name)
        let decoded = try Self.decode(Self.bytes(name))
        let header = decoded.storage.header
        #expect(
            header.width == expected["width"]?.integerValue
                && header.height == expected["height"]?.integerValue)
        #expect(Int(decoded.storage.orientation.rawValue) == expected["orientation"]?.integerValue)
        #expect(.bool(decoded.storage.hasColorProfile) == expected["profile"])
        #expect(decoded.samples.map { .integer(Int($0)) } == expected["samples"]?.arrayValue)
        #expect(decoded.faults.isEmpty && decoded.storage.reachesPixels)
        let planes = try Self.decode(Self.bytes(name), .planar).samples
        let (channels, count) = (header.channels, header.width * header.height)
        #expect(
            planes
                == (0..<channels).flatMap { channel in
                    (0..<count).map { decoded.samples[$0 * channels + channel] }
                })
    }

    @Test(
        "a file that is cut short is refused, or completed as Pillow completes it",
        arguments: ["gray", "colour-420", "cmyk"])
    func cutShort(name: String) throws {
        let bytes = try Self.bytes("cut-" + name)
        #expect(throws: FormatError(.malformed, path: "x.jpg", "the JPEG is damaged: the file is cut short"))
        {
            try Self.decode(bytes)
        }
        let decoded = try Self.decode(bytes, completes: true)
        #expect(decoded.faults == .cutShort)
        #expect(
            decoded.samples.map { .integer(Int($0)) }
                == (try Self.expected("cut-" + name))["samples"]?.arrayValue)
    }

    @Test("a progressive file is completed from the scans before a segment that is cut")
    func cutSegment() throws {
        let bytes = try Self.bytes("colour-420-progressive")
        let whole = try Self.decode(bytes)
        // The last table, which the last scans go by.
        let table = try #require(bytes.indices.last { bytes[$0...].starts(with: [0xFF, 0xC4]) })
        let decoded = try Self.decode(Array(bytes[..<(table + 8)]), completes: true)
        #expect(decoded.faults == .cutShort && decoded.samples != whole.samples)
        let differences = zip(decoded.samples, whole.samples).map { abs(Int($0) - Int($1)) }
        #expect(differences.reduce(0, +) / differences.count < 12)
    }

    @Test(
        "what is damaged or of another kind is refused",
        arguments: [
            (
                "fault-data", FormatError.Code.malformed,
                "the JPEG is damaged: Corrupt JPEG data: found marker 0xd5"
            ),
            ("fault-empty", .malformed, "missing SOS marker"),
            ("fault-header", .malformed, "the file is cut short"),
            ("fault-twelve-bits", .unsupported, "Unsupported JPEG data precision 12"),
            ("fault-lossless", .unsupported, "SOF type 0xc3"),
            ("fault-large", .malformed, "an image of 40000×40000 (width × height) cannot be in"),
        ])
    func faults(name: String, code: FormatError.Code, text: String) throws {
        let bytes = try Self.bytes(name)
        let error = #expect(throws: FormatError.self) { try Self.decode(bytes) }
        #expect(error?.code == code && error?.message.description.contains(text) == true, "\(error as Any)")
    }

    @Test("bytes that belong to nothing are read over and told")
    func strayBytes() throws {
        let decoded = try Self.decode(Self.bytes("stray"))
        #expect(decoded.faults == .strayBytes)
        #expect(
            decoded.samples.map { .integer(Int($0)) } == (try Self.expected("stray"))["samples"]?.arrayValue)
    }

    @Test("a beginning that does not reach the first scan says so, and nothing else")
    func beginning() throws {
        let bytes = try Self.bytes("profile")
        let storage = try bytes[..<4096].withUnsafeBytes {
            try JPEGDecoder.storage(of: $0, fileSize: bytes.count, path: "x.jpg")
        }
        #expect(!storage.reachesPixels)
    }

    @Test("an image of more scans than any program writes is refused")
    func manyScans() throws {
        let bytes = try Self.bytes("gray-progressive")
        // The last scan again and again; libjpeg only warns of what it says.
        let start = try #require(bytes.indices.last { bytes[$0...].starts(with: [0xFF, 0xDA]) })
        let scan = bytes[start..<bytes.count - 2]
        let many = bytes[..<start] + Array(repeatElement(scan, count: 300).joined()) + bytes.suffix(2)
        #expect(throws: FormatError.self) { try Self.decode(Array(many)) }
    }
}

@Suite("Image files, told by their content")
struct ImageDecoderTests {
    static let others: [(String, [UInt8])] = [
        ("Git LFS", Array("version https://git-lfs.github.com/spec/v1\noid sha256:0\n".utf8)),
        ("a WebP file", Array("RIFF\0\0\0\0WEBPVP8 ".utf8)),
        ("a HEIC file", [0, 0, 0, 24] + Array("ftypheic".utf8)),
        ("an AVIF file", [0, 0, 0, 24] + Array("ftypavif".utf8)),
        ("a TIFF file", Array("II*\0\u{8}\0\0\0".utf8)),
        ("a TIFF file", Array("MM\0*\0\0\0\u{8}".utf8)), ("a GIF file", Array("GIF89a".utf8)),
        ("a BMP file", Array("BM".utf8) + [70, 0, 0, 0, 0, 0, 0, 0, 54, 0, 0, 0, 40, 0, 0, 0]),
        ("a JPEG 2000 file", [0, 0, 0, 12] + Array("jP  \r\n".utf8)),
        ("a DICOM file", [UInt8](repeating: 0, count: 128) + Array("DICM".utf8)),
        ("a web page", Array("<!DOCTYPE html>".utf8)),
    ]

    @Test("a file of another kind is named", arguments: others.indices)
    func named(number: Int) throws {
        let (name, bytes) = Self.others[number]
        let error = #expect(throws: FormatError.self) {
            try bytes.withUnsafeBytes { _ = try ImageDecoder.storage(of: $0, takesJPEG: true, path: "x.png") }
        }
        #expect(
            error?.code == .unsupported && error?.message.description.contains(name) == true,
            "\(error as Any)")
    }

    @Test("a JPEG file is none of the PNG files, whatever it is called")
    func jpegAmongPNGs() throws {
        let bytes = try JPEGTests.bytes("gray")
        let error = #expect(throws: FormatError.self) {
            try bytes.withUnsafeBytes {
                _ = try ImageDecoder.storage(of: $0, takesJPEG: false, path: "x.png")
            }
        }
        #expect(
            error?.message.description.contains("a JPEG file, which `ImageFolderImport(.images)` takes")
                == true)
    }
}
