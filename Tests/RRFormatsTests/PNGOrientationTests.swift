import RRFormats
import RRSchemas
import TestSupport
import Testing

/// `Fixtures/formats/png-orientations`: what Pillow's `ImageOps.exif_transpose` makes of each file.
@Suite("The orientation of PNG files")
struct PNGOrientationTests {
    static func bytes(_ name: String) throws -> [UInt8] {
        try FileBytes.read(Fixtures.path("formats/png-orientations/\(name).png"))
    }

    @Test("an image is turned as Pillow turns it", arguments: ["gray", "rgb"], 1...8)
    func turned(kind: String, number: Int) throws {
        let name = "\(kind)-\(number)"
        let expected = try JSONValue(
            parsing: FileBytes.read(Fixtures.path("formats/png-orientations/expected.json")))["\(name).png"]
        let bytes = try Self.bytes(name)
        let orientation = bytes.withUnsafeBytes { PNGOrientation(of: $0) }
        #expect(Int(orientation.rawValue) == number)
        let image = try PNGDecoder.decode(bytes, path: name)
        let header = PNGHeader(width: 3, height: 2, channels: image.channels, bitDepth: 8)
        // Planes of 8 bits, and the same of 16.
        let planes = (0..<image.channels).flatMap { channel in
            stride(from: channel, to: image.samples.count, by: image.channels).map { image.samples[$0] }
        }
        var turned = [UInt8](repeating: 0, count: planes.count)
        turned.withUnsafeMutableBytes { target in
            planes.withUnsafeBytes { orientation.turn($0, of: header, into: target) }
        }
        let size = orientation.turned(header)
        #expect(
            size.width == expected?["width"]?.integerValue && size.height == expected?["height"]?.integerValue
        )
        let interleaved = (0..<6).flatMap { pixel in
            (0..<image.channels).map { turned[$0 * 6 + pixel] }
        }
        #expect(interleaved.map { .integer(Int($0)) } == expected?["samples"]?.arrayValue)
        var wide = [UInt16](repeating: 0, count: planes.count)
        wide.withUnsafeMutableBytes { target in
            planes.map { UInt16($0) * 3 }.withUnsafeBytes {
                orientation.turn(
                    $0, of: PNGHeader(width: 3, height: 2, channels: image.channels, bitDepth: 16),
                    into: target)
            }
        }
        #expect(wide == turned.map { UInt16($0) * 3 })
    }

    @Test(
        "a chunk that says nothing sound leaves the image upright",
        arguments: ["zero", "nine", "long", "empty", "cut", "far", "many", "words"])
    func upright(name: String) throws {
        let bytes = try Self.bytes("upright-\(name)")
        #expect(bytes.withUnsafeBytes { PNGOrientation(of: $0) } == .topLeft)
    }

    @Test("the head of JPEG's data is passed over")
    func head() throws {
        let bytes = try Self.bytes("headed-6")
        #expect(bytes.withUnsafeBytes { PNGOrientation(of: $0) } == .rightTop)
    }
}
