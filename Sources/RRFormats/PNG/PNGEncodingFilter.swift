/// The filters that make a row of bytes smaller to compress (W3C, Portable Network Graphics, section 9).
enum PNGEncodingFilter: UInt8, CaseIterable {
    case none = 0
    case sub = 1
    case up = 2
    case average = 3
    case paeth = 4

    /// Filters a row.
    ///
    /// The sum of the bytes' sizes as signed numbers, least where a row compresses best, is the choice that the
    /// standard advises (section 12.7).
    ///
    /// - Parameters:
    ///   - row: the bytes of the row; `distance` bytes before it are zero.
    ///   - above: the row above, zeros for the first row, with as many zeros before it.
    ///   - distance: the bytes from a pixel to the next, at least 1.
    /// - Returns: the sum over `target`.
    func apply(
        to row: UnsafePointer<UInt8>, above: UnsafePointer<UInt8>, count: Int, distance: Int,
        into target: UnsafeMutablePointer<UInt8>
    ) -> Int {
        let left = row - distance
        let aboveLeft = above - distance
        switch self {
        case .none: return Self.fill(target, count) { row[$0] }
        case .sub: return Self.fill(target, count) { row[$0] &- left[$0] }
        case .up: return Self.fill(target, count) { row[$0] &- above[$0] }
        case .average:
            return Self.fill(target, count) {
                row[$0] &- UInt8(truncatingIfNeeded: (UInt16(left[$0]) &+ UInt16(above[$0])) >> 1)
            }
        case .paeth:
            return Self.fill(target, count) {
                row[$0] &- Self.predict(left: left[$0], above: above[$0], aboveLeft: aboveLeft[$0])
            }
        }
    }

    /// Fills bytes and sums their sizes as signed numbers.
    @inline(__always)
    private static func fill(
        _ target: UnsafeMutablePointer<UInt8>, _ count: Int, _ byte: (Int) -> UInt8
    ) -> Int {
        var sum: UInt32 = 0
        for position in 0..<count {
            let value = byte(position)
            target[position] = value
            sum &+= UInt32(min(value, 0 &- value))
        }
        return Int(sum)
    }

    /// Paeth's predictor: of three neighbours the one that is nearest to left + above − above left.
    @inline(__always)
    private static func predict(left: UInt8, above: UInt8, aboveLeft: UInt8) -> UInt8 {
        let (a, b, c) = (Int16(left), Int16(above), Int16(aboveLeft))
        let (toLeft, toAbove) = (abs(b &- c), abs(a &- c))
        let toAboveLeft = abs(a &+ b &- c &- c)
        let nearer = toAbove <= toAboveLeft ? above : aboveLeft
        return toLeft <= toAbove && toLeft <= toAboveLeft ? left : nearer
    }
}
