import RRFormats
import RRTensor
import TestSupport
import Testing

/// `Fixtures/formats/png`: 5 rows of 7 pixels, samples by a formula.
@Suite("PNG")
struct PNGTests {
    static func bytes(_ name: String) throws -> [UInt8] {
        try FileBytes.read(Fixtures.path("formats/png/\(name).png"))
    }

    /// The samples that `make_png.py` writes.
    static func expected(channels: Int, bitDepth: Int) -> [UInt8] {
        var samples: [UInt8] = []
        for row in 0..<5 {
            for column in 0..<7 {
                for channel in 0..<channels {
                    if bitDepth == 16 {
                        let value = (row * 5001 + column * 733 + channel * 17011 + 5) % 65536
                        samples += [UInt8(value & 255), UInt8(value >> 8)]
                    } else {
                        samples.append(UInt8((row * 40 + column * 9 + channel * 70 + 3) % 256))
                    }
                }
            }
        }
        return samples
    }

    @Test(
        "every served kind decodes to its samples",
        arguments: [
            ("gray-8", 1, 8), ("gray-alpha-8", 2, 8), ("rgb-8", 3, 8), ("rgba-8", 4, 8), ("gray-16", 1, 16),
            ("gray-alpha-16", 2, 16), ("rgb-16", 3, 16), ("rgba-16", 4, 16), ("gray-8-interlaced", 1, 8),
            ("rgb-8-interlaced", 3, 8), ("rgba-8-interlaced", 4, 8), ("gray-16-interlaced", 1, 16),
            ("rgb-16-interlaced", 3, 16), ("rgba-16-interlaced", 4, 16), ("rgb-8-gamma", 3, 8),
        ])
    func served(name: String, channels: Int, bitDepth: Int) throws {
        let bytes = try Self.bytes(name)
        let image = try PNGDecoder.decode(bytes, path: name)
        #expect(image.width == 7 && image.height == 5)
        #expect(image.channels == channels && image.bitDepth == bitDepth)
        #expect(image.samples == Self.expected(channels: channels, bitDepth: bitDepth))
        let header = try bytes.withUnsafeBytes { try PNGDecoder.header(of: $0, path: name) }
        #expect(header == PNGHeader(width: 7, height: 5, channels: channels, bitDepth: bitDepth))
        #expect(header.byteCount == image.samples.count)
    }

    @Test(
        "damage of every kind is found",
        arguments: [
            ("data", "the PNG is damaged"), ("crc", "CRC"), ("truncated", "cut short"),
            ("no-end", "cut short"), ("header-only", "cut short"), ("adler", "incorrect data check"),
            ("few-rows", "Not enough image data"),
            ("no-image", "IHDR"), ("type", "colour type 7"),
            ("empty", "empty"), ("bomb", "cannot be in"), ("text", "not a PNG"), ("zero-bytes", "not a PNG"),
        ])
    func damaged(name: String, words: String) throws {
        let bytes = try Self.bytes("damaged-\(name)")
        let error = #expect(throws: FormatError.self) { try PNGDecoder.decode(bytes, path: name) }
        #expect(error?.code == .malformed)
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    @Test("an image beyond the limits is refused before memory is asked for")
    func vast() throws {
        let bytes = try Self.bytes("damaged-vast")
        let error = #expect(throws: FormatError.self) { try PNGDecoder.decode(bytes, path: "vast") }
        #expect(error?.code == .unsupported)
    }

    @Test("every cut and every flipped bit of a file ends in an error or the same image")
    func hostile() throws {
        let bytes = try Self.bytes("rgb-16-interlaced")
        let whole = try PNGDecoder.decode(bytes, path: "")
        for count in bytes.indices {
            #expect(throws: FormatError.self) { try PNGDecoder.decode(Array(bytes[..<count]), path: "") }
        }
        for bit in 0..<bytes.count * 8 {
            var flipped = bytes
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            if let image = try? PNGDecoder.decode(flipped, path: "") { #expect(image == whole) }
        }
    }

    @Test("memory that is not the image's size is refused, not overrun")
    func wrongSize() throws {
        let bytes = try Self.bytes("rgb-8")
        for size in [0, 104, 106, 210] {
            var samples = [UInt8](repeating: 0, count: size)
            let error = #expect(throws: FormatError.self) {
                try bytes.withUnsafeBytes { bytes in
                    try samples.withUnsafeMutableBytes { samples in
                        try PNGDecoder.decode(
                            bytes, storage: PNGDecoder.storage(of: bytes, path: ""), path: "",
                            arrangement: .interleaved, workspace: PNGWorkspace(), into: samples)
                    }
                }
            }
            #expect(error?.code == .malformed)
        }
    }

    @Test("what is encoded decodes to the same image", arguments: [1, 2, 3, 4], [8, 16])
    func roundTrip(channels: Int, bitDepth: Int) throws {
        let image = PNGImage(
            width: 7, height: 5, channels: channels, bitDepth: bitDepth,
            samples: Self.expected(channels: channels, bitDepth: bitDepth))
        #expect(try PNGDecoder.decode(PNGEncoder.encode(image), path: "") == image)
    }

    @Test("an image larger than libpng's buffers encodes and decodes")
    func largeRoundTrip() throws {
        var generator = SystemRandomNumberGenerator()
        let samples = (0..<300 * 400 * 3).map { _ in UInt8.random(in: 0...255, using: &generator) }
        let image = PNGImage(width: 400, height: 300, channels: 3, bitDepth: 8, samples: samples)
        #expect(try PNGDecoder.decode(PNGEncoder.encode(image), path: "") == image)
    }

    @Test(
        "images that suit every filter decode to the same, ties of Paeth's predictor among them",
        arguments: 1...4)
    func filters(channels: Int) throws {
        var generator = SplitMix64(seed: UInt64(channels))
        for kind in 0..<12 {
            let (width, height) = (40, 30)
            var samples = [UInt8](repeating: 0, count: width * height * channels)
            for position in samples.indices {
                let (row, column) = (position / channels / width, position / channels % width)
                let above = row > 0 ? samples[position - width * channels] : 128
                let left = column > 0 ? samples[position - channels] : 128
                let step = UInt8(generator.next() % (kind < 6 ? 3 : 9))
                samples[position] =
                    switch kind % 6 {
                    case 0: above &+ step
                    case 1: left &+ step
                    case 2: UInt8((Int(above) + Int(left)) / 2) &+ step
                    case 3: step &* 100
                    default: (generator.next() & 1 == 0 ? above : left) &+ step / 2
                    }
            }
            let image = PNGImage(
                width: width, height: height, channels: channels, bitDepth: 8, samples: samples)
            let bytes = try PNGEncoder.encode(image)
            #expect(try PNGDecoder.decode(bytes, path: "") == image)
        }
    }

    @Test("a mask is 1-bit gray, white for everything but 0", arguments: [1, 7, 8, 9, 64, 65])
    func mask(width: Int) throws {
        let pixels = (0..<3 * width).map { UInt8($0 % 3 == 1 ? 0 : $0 % 7) }
        let bytes = try pixels.withUnsafeBufferPointer {
            try PNGEncoder().encodeMask($0, width: width, height: 3)
        }
        #expect(bytes[24] == 1 && bytes[25] == 0)
        #expect(
            try PNGDecoder.decodeStored(bytes, path: "").samples == pixels.map { $0 == 0 ? 0 : 1 })
        #expect(try PNGDecoder.decode(bytes, path: "").samples == pixels.map { $0 == 0 ? 0 : 255 })
        #expect(throws: FormatError.self) {
            try pixels.withUnsafeBufferPointer { try PNGEncoder().encodeMask($0, width: width, height: 4) }
        }
    }

    @Test("an encoder gives the same bytes again, whatever it encoded between")
    func encoderReuse() throws {
        let encoder = PNGEncoder()
        let header = PNGHeader(width: 7, height: 5, channels: 3, bitDepth: 8)
        let samples = Self.expected(channels: 3, bitDepth: 8)
        let first = try samples.withUnsafeBytes { try encoder.encode($0, of: header) }
        _ = try samples.withUnsafeBytes {
            try encoder.encode(
                $0, of: PNGHeader(width: 5, height: 7, channels: 3, bitDepth: 8))
        }
        #expect(try samples.withUnsafeBytes { try encoder.encode($0, of: header) } == first)
    }

    @Test("samples that do not fill the extents are refused")
    func wrongCount() {
        let image = PNGImage(width: 7, height: 5, channels: 1, bitDepth: 8, samples: [1, 2, 3])
        #expect(throws: FormatError.self) { try PNGEncoder.encode(image) }
        let channels = PNGImage(width: 1, height: 1, channels: 5, bitDepth: 8, samples: [1, 2, 3, 4, 5])
        #expect(throws: FormatError.self) { try PNGEncoder.encode(channels) }
    }
}
