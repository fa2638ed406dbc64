import Foundation
import RRFormats
import TestSupport
import Testing

/// `Fixtures/formats/png-grid`: every colour type, depth, interlacing and transparency, with what pypng reads of them.
@Suite("Every kind of PNG")
struct PNGGridTests {
    struct Expected: Decodable {
        let channels: Int
        let depth: Int
        let samples: [UInt16]
        let stored: [UInt16]
    }

    static let grid: Result<[String: Expected], any Error> = Result {
        let data = try Data(contentsOf: URL(filePath: Fixtures.path("formats/png-grid/expected.json")))
        return try JSONDecoder().decode([String: Expected].self, from: data)
    }

    static func bytes(_ name: String) throws -> [UInt8] {
        try FileBytes.read(Fixtures.path("formats/png-grid/\(name).png"))
    }

    static func numbers(_ image: PNGImage) -> [UInt16] {
        guard image.bitDepth == 16 else { return image.samples.map { UInt16($0) } }
        return stride(from: 0, to: image.samples.count, by: 2).map {
            UInt16(image.samples[$0]) | UInt16(image.samples[$0 + 1]) << 8
        }
    }

    @Test("the grid is whole")
    func whole() throws {
        let names = try Self.grid.get().keys
        #expect(names.count == 58)
        for kind in ["gray-1", "gray-16-trns", "rgb-16-trns-interlaced", "palette-2-trns", "gray-alpha-8"] {
            #expect(names.contains(kind))
        }
    }

    @Test("palettes, transparency and small samples expand to what pypng, Pillow and OpenCV read")
    func expanded() throws {
        for (name, expected) in try Self.grid.get() {
            let image = try PNGDecoder.decode(Self.bytes(name), path: name)
            #expect(image.channels == expected.channels && image.bitDepth == expected.depth, "\(name)")
            #expect(image.width == 9 && image.height == 7)
            #expect(Self.numbers(image) == expected.samples, "\(name)")
        }
    }

    @Test("stored numbers of palettes and small gray are read as they stand")
    func stored() throws {
        for (name, expected) in try Self.grid.get() {
            let image = try PNGDecoder.decodeStored(Self.bytes(name), path: name)
            #expect(Self.numbers(image) == expected.stored, "\(name)")
        }
    }

    @Test("planes hold the samples of the pixels")
    func planar() throws {
        let workspace = PNGWorkspace()
        for (name, expected) in try Self.grid.get() {
            let image = try decode(Self.bytes(name), .planar, workspace)
            let count = 9 * 7
            var planes: [UInt16] = []
            for channel in 0..<expected.channels {
                planes += (0..<count).map { expected.samples[$0 * expected.channels + channel] }
            }
            #expect(Self.numbers(image) == planes, "\(name)")
        }
    }

    @Test("colour spaces are noticed")
    func colorSpace() throws {
        for (name, isNoticed) in [("rgb-8-pieces", true), ("rgb-8-stored", false)] {
            let storage = try Self.bytes(name).withUnsafeBytes {
                try PNGDecoder.storage(of: $0, path: name)
            }
            #expect(storage.hasColorSpace == isNoticed)
        }
    }

    func decode(_ bytes: [UInt8], _ arrangement: PNGArrangement, _ workspace: PNGWorkspace) throws -> PNGImage
    {
        try bytes.withUnsafeBytes { bytes in
            let storage = try PNGDecoder.storage(of: bytes, path: "")
            let header = storage.header
            var samples = [UInt8](repeating: 99, count: header.byteCount)
            _ = try samples.withUnsafeMutableBytes {
                try PNGDecoder.decode(
                    bytes, storage: storage, path: "", arrangement: arrangement, workspace: workspace,
                    into: $0)
            }
            return PNGImage(
                width: header.width, height: header.height, channels: header.channels,
                bitDepth: header.bitDepth, samples: samples)
        }
    }

    /// What libpng makes of a file: an image or the words of its error.
    func reference(_ bytes: [UInt8]) -> Result<PNGImage, FormatError> {
        bytes.withUnsafeBytes { bytes in
            do throws(FormatError) {
                let header = try PNGDecoder.header(of: bytes, path: "")
                var samples = [UInt8](repeating: 99, count: header.byteCount)
                let result: Result<Void, FormatError> = samples.withUnsafeMutableBytes { samples in
                    Result { () throws(FormatError) in
                        try PNGDecoder.decodeWithLibPNG(bytes, path: "", into: samples)
                    }
                }
                try result.get()
                return .success(
                    PNGImage(
                        width: header.width, height: header.height, channels: header.channels,
                        bitDepth: header.bitDepth, samples: samples))
            } catch {
                return .failure(error)
            }
        }
    }

    func check(_ bytes: [UInt8], _ workspace: PNGWorkspace, _ what: @autoclosure () -> String) {
        let expected = reference(bytes)
        let found = Result { try decode(bytes, .interleaved, workspace) }
        switch (expected, found) {
        case (.success(let expected), .success(let found)): #expect(found == expected, "\(what())")
        case (.failure(let expected), .failure(let found)):
            #expect(found as? FormatError == expected, "\(what())")
        default: Issue.record("\(what()): libpng \(expected), ours \(found)")
        }
    }

    static let ordinary = [
        "gray-8", "gray-alpha-8", "rgb-8", "rgba-8", "rgb-8-pieces", "rgb-8-stored", "rgb-8-text-after",
        "rgb-8-empty-piece", "rgb-8-behind", "rgb-8-palette",
    ]

    @Test("cut or with a flipped bit, a file reads as libpng alone reads it, words of the errors included")
    func damage() throws {
        let workspace = PNGWorkspace()
        for name in Self.ordinary {
            let bytes = try Self.bytes(name)
            check(bytes, workspace, name)
            for count in stride(from: 0, to: bytes.count, by: 3) {
                check(Array(bytes[..<count]), workspace, "\(name), cut at \(count)")
            }
            for bit in stride(from: 0, to: bytes.count * 8, by: 5) {
                var flipped = bytes
                flipped[bit / 8] ^= 1 << UInt8(bit % 8)
                check(flipped, workspace, "\(name), bit \(bit)")
            }
        }
    }

    @Test("with checksums made right again, what the chunks say is judged as libpng judges it")
    func repairedDamage() throws {
        let workspace = PNGWorkspace()
        var accepted = 0
        for name in Self.ordinary {
            let bytes = try Self.bytes(name)
            for bit in stride(from: 8 * 8, to: bytes.count * 8, by: 3) {
                var flipped = bytes
                flipped[bit / 8] ^= 1 << UInt8(bit % 8)
                Self.repairChecksums(&flipped)
                if (try? decode(flipped, .interleaved, workspace)) != nil { accepted += 1 }
                check(flipped, workspace, "\(name), bit \(bit), repaired")
            }
        }
        #expect(accepted > 0)
    }

    /// Gives every chunk that lies inside the file the checksum of its content.
    static func repairChecksums(_ bytes: inout [UInt8]) {
        var offset = 8
        while offset + 12 <= bytes.count {
            let length = bytes[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
            guard length <= bytes.count - offset - 12 else { return }
            let end = offset + 8 + length
            let checksum = bytes[offset + 4..<end].withUnsafeBytes { CRC32.checksum(of: $0) }
            for byte in 0..<4 { bytes[end + byte] = UInt8(truncatingIfNeeded: checksum >> (24 - 8 * byte)) }
            offset = end + 4
        }
    }

    /// The defects of PngSuite's broken files, each made of a sound one.
    static let brokenKinds: [(name: String, words: String, change: @Sendable (inout [UInt8]) -> Void)] = [
        ("xs1: the signature's first byte", "this is not a PNG file", { $0[0] = 0x88 }),
        ("xs7: the signature's last byte", "this is not a PNG file", { $0[7] = 0x0B }),
        ("xcr: carriage returns added", "this is not a PNG file", { $0.insert(0x0D, at: 5) }),
        ("xlf: carriage returns lost", "this is not a PNG file", { $0.remove(at: 4) }),
        ("xhd: the header's checksum", "IHDR: CRC error", { $0[29] ^= 1 }),
        ("xcs: the data's checksum", "IDAT: CRC error", { $0[$0.count - 13] ^= 1 }),
        (
            "xc1: colour type 1", "no PNG of colour type 1",
            {
                $0[25] = 1; repairChecksums(&$0)
            }
        ),
        (
            "xc9: colour type 9", "no PNG of colour type 9",
            {
                $0[25] = 9; repairChecksums(&$0)
            }
        ),
        (
            "xd0: no bits", "with 0 bits",
            {
                $0[24] = 0; repairChecksums(&$0)
            }
        ),
        (
            "xd3: three bits", "with 3 bits",
            {
                $0[24] = 3; repairChecksums(&$0)
            }
        ),
        (
            "xd9: 99 bits", "with 99 bits",
            {
                $0[24] = 99; repairChecksums(&$0)
            }
        ),
        ("xdt: no data", "out of place", { $0.removeSubrange(33..<$0.count - 12) }),
        (
            "another compression", "compression method 1",
            {
                $0[26] = 1; repairChecksums(&$0)
            }
        ),
        (
            "another filter method", "filter method 2",
            {
                $0[27] = 2; repairChecksums(&$0)
            }
        ),
        (
            "another interlacing", "interlace method 2",
            {
                $0[28] = 2; repairChecksums(&$0)
            }
        ),
    ]

    @Test("the defects of PngSuite's broken files are refused by name", arguments: brokenKinds.indices)
    func broken(kind: Int) throws {
        let (name, words, change) = Self.brokenKinds[kind]
        for file in ["gray-1", "gray-8", "rgb-8", "rgb-8-interlaced"] {
            var bytes = try Self.bytes(file)
            change(&bytes)
            let error = #expect(throws: FormatError.self, "\(name)") {
                try PNGDecoder.decode(bytes, path: file)
            }
            #expect(error?.code == .malformed && error?.path == file)
            #expect(error?.message.contains(words) == true, "\(name): \(error?.message ?? "")")
        }
    }

    @Test(
        "a stream whose distances reach behind the window that it declares is refused, as libpng refuses it")
    func narrowWindow() throws {
        var generator = SystemRandomNumberGenerator()
        let rows = (0..<2).map { _ in (0..<2000).map { _ in UInt8.random(in: 0...255, using: &generator) } }
        let image = PNGImage(
            width: 2000, height: 6, channels: 1, bitDepth: 8, samples: (0..<6).flatMap { rows[$0 % 2] })
        var bytes = try PNGEncoder.encode(image)
        #expect(bytes.count < 10_000)
        let letters = Array("IDAT".utf8)
        let stream = try #require(bytes.indices.first { bytes[$0...].starts(with: letters) }) + 4
        // A window of 256 bytes; the two bytes are a multiple of 31.
        (bytes[stream], bytes[stream + 1]) = (0x08, 0x1D)
        Self.repairChecksums(&bytes)
        if case .success = reference(bytes) { Issue.record("libpng reads it") }
        check(bytes, PNGWorkspace(), "a narrow window")
    }

    @Test("rows of every filter and width read as libpng reads them", arguments: [1, 2, 3, 4])
    func filters(channels: Int) throws {
        let workspace = PNGWorkspace()
        var generator = SystemRandomNumberGenerator()
        for width in [1, 2, 3, 5, 16, 33, 200] {
            for isSmooth in [false, true] {
                let samples = (0..<11 * width * channels).map { position in
                    UInt8.random(in: 0...(isSmooth ? 20 : 255), using: &generator)
                        &+ (isSmooth ? UInt8(truncatingIfNeeded: position / 7) : 0)
                }
                let image = PNGImage(
                    width: width, height: 11, channels: channels, bitDepth: 8, samples: samples)
                let bytes = try PNGEncoder.encode(image)
                #expect(try decode(bytes, .interleaved, workspace) == image)
                check(bytes, workspace, "\(width) pixels of \(channels) channels")
            }
        }
    }
}
