/// A brush's mask as Label Studio exports it: bytes in runs, packed bit by bit, the highest bit of a byte first.
///
/// After the number of values (32 bits), the bits of a value less one (5) and four sizes less one (4 each), runs follow: a bit
/// that tells one value for all from a value for each, two bits that choose a size, and in so many bits the number of values
/// less one (`rle-pack` of thi.ng/umbrella, `label_studio_sdk/converter/brush.py`). The values are those of RGBA pixels, rows
/// from the top; the last of each is how much of the pixel the brush covers.
package struct BrushRunLengths: Equatable, Sendable {
    private let bytes: [UInt8]

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Calls a body with the cover, 0 to 255, of each run of pixels; runs come in order and are not empty.
    ///
    /// - Throws: `ShapeDefect` where the runs are cut short, or their values are none of RGBA pixels of the image.
    package func forEachRun(
        height: Int, width: Int, _ body: (_ start: Int, _ count: Int, _ cover: UInt8) -> Void
    ) throws(ShapeDefect) {
        var input = BitReader(bytes: bytes)
        let (valueCount, overflow) = height.multipliedReportingOverflow(by: width * 4)
        let stated = try input.read(32)
        guard !overflow, height > 0, width > 0, stated == valueCount else {
            throw ShapeDefect(
                "the brush has \(stated) values, but the image of H×W = \(height)×\(width) takes 4 a pixel")
        }
        let valueBits = try input.read(5) + 1
        guard valueBits <= 8 else { throw ShapeDefect("a value of the brush has \(valueBits) bits") }
        var sizes: [Int] = []
        for _ in 0..<4 { sizes.append(try input.read(4) + 1) }
        var place = 0
        /// Tells of the pixels whose last values are among some that are alike.
        func tell(_ count: Int, _ value: Int) {
            let (first, last) = (place / 4, (place + count) / 4)
            if first < last { body(first, last - first, UInt8(value)) }
            place += count
        }
        while place < valueCount {
            let isRun = try input.read(1) == 1
            let count = try input.read(sizes[try input.read(2)]) + 1
            guard count <= valueCount - place else {
                throw ShapeDefect("the brush's runs go on beyond the \(valueCount) values that it has")
            }
            if isRun {
                tell(count, try input.read(valueBits))
            } else {
                for _ in 0..<count { tell(1, try input.read(valueBits)) }
            }
        }
    }
}

/// Bits of bytes, the highest first.
private struct BitReader {
    let bytes: [UInt8]
    private var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    /// The next bits, at most 32, as a number.
    mutating func read(_ count: Int) throws(ShapeDefect) -> Int {
        guard position + count <= bytes.count * 8 else { throw ShapeDefect("the brush's runs are cut short") }
        var value = 0
        var left = count
        while left > 0 {
            let (byte, used) = (Int(bytes[position / 8]), position % 8)
            let taken = min(8 - used, left)
            value = value << taken | (byte >> (8 - used - taken)) & (1 << taken - 1)
            position += taken
            left -= taken
        }
        return value
    }
}
