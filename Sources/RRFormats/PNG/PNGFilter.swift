/// The filters that a PNG's rows were written with, undone (PNG, 9.2).
enum PNGFilter {
    /// Undoes the filter of a row.
    ///
    /// - Parameters:
    ///   - filter: 0 none, 1 sub, 2 up, 3 average, 4 Paeth.
    ///   - source: the row's bytes.
    ///   - above: the row above, unfiltered; zeros above the first. Three bytes beyond its end can be read.
    ///   - target: where the row goes; up to three bytes beyond its end can be written.
    ///   - count: the row's bytes. Three bytes beyond the end of `source` can be read.
    ///   - pixelSize: the bytes of a pixel, 1 to 4.
    /// - Returns: false for a filter that does not exist.
    static func undo(
        _ filter: UInt8, _ source: UnsafePointer<UInt8>, above: UnsafePointer<UInt8>,
        into target: UnsafeMutablePointer<UInt8>, count: Int, pixelSize: Int
    ) -> Bool {
        switch filter {
        case 0: target.update(from: source, count: count)
        case 1: undoSub(source, into: target, count: count, pixelSize: pixelSize)
        case 2: for position in 0..<count { target[position] = source[position] &+ above[position] }
        case 3: undoAverage(source, above: above, into: target, count: count, pixelSize: pixelSize)
        case 4:
            switch pixelSize {
            case 1: undoPaethOfGray(source, above: above, into: target, count: count)
            case 3: undoPaethOfColor(source, above: above, into: target, count: count, pixelSize: 3)
            case 4: undoPaethOfColor(source, above: above, into: target, count: count, pixelSize: 4)
            default: undoPaeth(source, above: above, into: target, count: count, pixelSize: pixelSize)
            }
        default: return false
        }
        return true
    }

    /// Each byte follows from the one of the same channel to its left.
    @inline(__always)
    private static func undoSub(
        _ source: UnsafePointer<UInt8>, into target: UnsafeMutablePointer<UInt8>, count: Int, pixelSize: Int
    ) {
        switch pixelSize {
        case 1:
            var left: UInt8 = 0
            for position in 0..<count {
                left &+= source[position]
                target[position] = left
            }
        case 3:
            var (red, green, blue): (UInt8, UInt8, UInt8) = (0, 0, 0)
            var position = 0
            while position < count {
                red &+= source[position]
                green &+= source[position + 1]
                blue &+= source[position + 2]
                target[position] = red
                target[position + 1] = green
                target[position + 2] = blue
                position += 3
            }
        default:
            for position in 0..<pixelSize { target[position] = source[position] }
            var position = pixelSize
            while position < count {
                target[position] = source[position] &+ target[position - pixelSize]
                position += 1
            }
        }
    }

    @inline(__always)
    private static func undoAverage(
        _ source: UnsafePointer<UInt8>, above: UnsafePointer<UInt8>, into target: UnsafeMutablePointer<UInt8>,
        count: Int, pixelSize: Int
    ) {
        if pixelSize == 3 {
            var (red, green, blue): (UInt16, UInt16, UInt16) = (0, 0, 0)
            var position = 0
            while position < count {
                red = (UInt16(source[position]) &+ (red &+ UInt16(above[position])) >> 1) & 255
                green = (UInt16(source[position + 1]) &+ (green &+ UInt16(above[position + 1])) >> 1) & 255
                blue = (UInt16(source[position + 2]) &+ (blue &+ UInt16(above[position + 2])) >> 1) & 255
                target[position] = UInt8(truncatingIfNeeded: red)
                target[position + 1] = UInt8(truncatingIfNeeded: green)
                target[position + 2] = UInt8(truncatingIfNeeded: blue)
                position += 3
            }
            return
        }
        for position in 0..<pixelSize { target[position] = source[position] &+ above[position] >> 1 }
        var position = pixelSize
        while position < count {
            let sum = UInt16(target[position - pixelSize]) &+ UInt16(above[position])
            target[position] = source[position] &+ UInt8(truncatingIfNeeded: sum >> 1)
            position += 1
        }
    }

    /// Paeth's predictor in the form without distances that stb_image found: it is PNG's (9.4) for all of the 2²⁴
    /// possible bytes, ties included.
    @inline(__always)
    private static func predict<Number: FixedWidthInteger>(left: Number, above: Number, corner: Number)
        -> Number
    {
        let threshold = corner &* 3 &- (left &+ above)
        let (low, high) = (min(left, above), max(left, above))
        let middle = high <= threshold ? low : corner
        return threshold <= low ? high : middle
    }

    private static func undoPaethOfGray(
        _ source: UnsafePointer<UInt8>, above: UnsafePointer<UInt8>, into target: UnsafeMutablePointer<UInt8>,
        count: Int
    ) {
        var (left, corner): (Int32, Int32) = (0, 0)
        for position in 0..<count {
            let up = Int32(above[position])
            left = (Int32(source[position]) &+ predict(left: left, above: up, corner: corner)) & 255
            corner = up
            target[position] = UInt8(truncatingIfNeeded: left)
        }
    }

    /// A pixel at a time in the lanes of a vector. Lane 3 of a pixel of three bytes is the next one's first byte: it
    /// is written over by the next.
    @inline(__always)
    private static func undoPaethOfColor(
        _ source: UnsafePointer<UInt8>, above: UnsafePointer<UInt8>, into target: UnsafeMutablePointer<UInt8>,
        count: Int, pixelSize: Int
    ) {
        let (source, above) = (UnsafeRawPointer(source), UnsafeRawPointer(above))
        let target = UnsafeMutableRawPointer(target)
        var (left, corner) = (SIMD4<Int16>.zero, SIMD4<Int16>.zero)
        let byteMask = SIMD4<Int16>(repeating: 255)
        var position = 0
        while position < count {
            let up = SIMD4<Int16>(
                truncatingIfNeeded: above.loadUnaligned(fromByteOffset: position, as: SIMD4<UInt8>.self))
            let difference = SIMD4<Int16>(
                truncatingIfNeeded: source.loadUnaligned(fromByteOffset: position, as: SIMD4<UInt8>.self))
            let threshold = corner &+ corner &+ corner &- up &- left
            let low = pointwiseMin(left, up)
            let high = pointwiseMax(left, up)
            let middle = corner.replacing(with: low, where: high .<= threshold)
            let prediction = middle.replacing(with: high, where: threshold .<= low)
            left = (difference &+ prediction) & byteMask
            corner = up
            target.storeBytes(
                of: SIMD4<UInt8>(truncatingIfNeeded: left), toByteOffset: position, as: SIMD4<UInt8>.self)
            position += pixelSize
        }
    }

    private static func undoPaeth(
        _ source: UnsafePointer<UInt8>, above: UnsafePointer<UInt8>, into target: UnsafeMutablePointer<UInt8>,
        count: Int, pixelSize: Int
    ) {
        for position in 0..<pixelSize { target[position] = source[position] &+ above[position] }
        var position = pixelSize
        while position < count {
            let prediction = predict(
                left: Int32(target[position - pixelSize]), above: Int32(above[position]),
                corner: Int32(above[position - pixelSize]))
            target[position] = source[position] &+ UInt8(truncatingIfNeeded: prediction)
            position += 1
        }
    }
}

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
