internal import CLibDeflate
internal import CPixelPlanes

/// Decodes the common kinds of PNG as a whole, with libdeflate: 8-bit gray, gray-alpha, RGB and RGBA without
/// interlacing or a transparent colour.
///
/// It decodes only what is sound and ordinary in every respect. libpng decides about all else, and words the errors.
enum PNGFastDecoder {
    /// Decodes an image.
    ///
    /// - Parameters:
    ///   - image: `storage.header.byteCount` bytes. They are left undefined where the result is false.
    /// - Returns: whether the image was decoded.
    static func decode(
        _ bytes: UnsafeRawBufferPointer, storage: PNGStorage, arrangement: PNGArrangement,
        workspace: PNGWorkspace, into image: UnsafeMutableRawBufferPointer
    ) -> Bool {
        guard storage.bitDepth == 8, !storage.isInterlaced, !storage.hasTransparency,
            storage.colorType != .palette
        else { return false }
        let header = storage.header
        let rowSize = header.width * header.channels
        guard image.count == rowSize * header.height, let stream = stream(in: bytes) else { return false }
        // Behind the rows comes the stream, where it lies in several chunks; before them, room for rows of pixels.
        let rowRoom = rowSize + 16
        let rawSize = (rowSize + 1) * header.height
        let memory = workspace.memory(2 * rowRoom + rawSize + 16 + (stream.isWhole ? 0 : stream.size))
        let raw = UnsafeMutableRawBufferPointer(rebasing: memory[2 * rowRoom..<2 * rowRoom + rawSize])
        let whole: UnsafeRawBufferPointer
        if stream.isWhole {
            whole = UnsafeRawBufferPointer(rebasing: bytes[stream.first..<stream.first + stream.size])
        } else {
            let joined = UnsafeMutableRawBufferPointer(rebasing: memory[(2 * rowRoom + rawSize + 16)...])
            join(bytes, from: stream.first - 8, into: joined)
            whole = UnsafeRawBufferPointer(joined)
        }
        guard hasEnoughWindow(whole, dataSize: rawSize), let decompressor = workspace.decompressor else {
            return false
        }
        var (used, made) = (0, 0)
        let result = libdeflate_zlib_decompress_ex(
            decompressor, whole.baseAddress, whole.count, raw.baseAddress, raw.count, &used, &made)
        // Neither the stream nor its data may have a byte more or less.
        guard result == LIBDEFLATE_SUCCESS, used == whole.count, made == raw.count else { return false }
        if header.channels == 1 || arrangement == .interleaved {
            return unfilter(
                raw, height: header.height, rowSize: rowSize, pixelSize: header.channels,
                zeros: memory, into: image)
        }
        return unfilter(raw, header: header, rows: memory, rowRoom: rowRoom, intoPlanes: image)
    }

    /// Where the compressed data lies.
    private struct Stream {
        var first = 0
        var size = 0
        /// Whether it lies in one chunk.
        var isWhole = true
    }

    /// Finds the compressed data; nil unless every chunk is sound, and of a kind that says nothing about samples.
    private static func stream(in bytes: UnsafeRawBufferPointer) -> Stream? {
        var stream = Stream()
        var isPast = false
        var offset = 33
        while let chunk = PNGChunk(bytes, at: offset) {
            guard chunk.hasRightChecksum(in: bytes) else { return nil }
            switch chunk.type {
            case PNGChunk.imageData:
                guard !isPast else { return nil }
                if stream.first == 0 { stream.first = chunk.data.lowerBound } else { stream.isWhole = false }
                stream.size += chunk.data.count
            case PNGChunk.end:
                return chunk.data.isEmpty && stream.first > 0 ? stream : nil
            default:
                guard PNGChunk.isPassedOver(chunk.type) else { return nil }
                isPast = stream.first > 0
            }
            offset = chunk.end
        }
        return nil
    }

    /// Copies the data of neighbouring chunks together.
    private static func join(
        _ bytes: UnsafeRawBufferPointer, from start: Int, into target: UnsafeMutableRawBufferPointer
    ) {
        var (offset, position) = (start, 0)
        while let chunk = PNGChunk(bytes, at: offset), chunk.type == PNGChunk.imageData {
            let data = UnsafeRawBufferPointer(rebasing: bytes[chunk.data])
            UnsafeMutableRawBufferPointer(rebasing: target[position..<position + data.count])
                .copyMemory(from: data)
            position += data.count
            offset = chunk.end
        }
    }

    /// Whether no distance can reach behind the window that the stream declares (RFC 1950), which libpng checks and
    /// libdeflate does not.
    private static func hasEnoughWindow(_ stream: UnsafeRawBufferPointer, dataSize: Int) -> Bool {
        guard stream.count > 2 else { return false }
        let window = 1 << (Int(stream[0] >> 4) + 8)
        return window >= min(dataSize, 32768)
    }
}

extension PNGFastDecoder {
    /// Undoes the filters into rows of whole pixels.
    private static func unfilter(
        _ raw: UnsafeMutableRawBufferPointer, height: Int, rowSize: Int, pixelSize: Int,
        zeros: UnsafeMutableRawBufferPointer, into image: UnsafeMutableRawBufferPointer
    ) -> Bool {
        guard let source = raw.assumingMemoryBound(to: UInt8.self).baseAddress,
            let first = zeros.assumingMemoryBound(to: UInt8.self).baseAddress,
            let target = image.assumingMemoryBound(to: UInt8.self).baseAddress
        else { return false }
        first.update(repeating: 0, count: rowSize + 16)
        let spare = first + rowSize + 16
        for row in 0..<height {
            let above = row == 0 ? UnsafePointer(first) : UnsafePointer(target + (row - 1) * rowSize)
            let from = source + row * (rowSize + 1)
            // A pixel of three bytes is written with a fourth, which the last row has no room for.
            let isLast = row == height - 1 && pixelSize == 3
            let to = isLast ? spare : target + row * rowSize
            guard
                PNGFilter.undo(
                    from[0], from + 1, above: above, into: to, count: rowSize, pixelSize: pixelSize)
            else { return false }
            if isLast { (target + row * rowSize).update(from: spare, count: rowSize) }
        }
        return true
    }

    /// Undoes the filters in two rows that take turns, and separates the channels of each while it is at hand.
    private static func unfilter(
        _ raw: UnsafeMutableRawBufferPointer, header: PNGHeader, rows: UnsafeMutableRawBufferPointer,
        rowRoom: Int, intoPlanes image: UnsafeMutableRawBufferPointer
    ) -> Bool {
        guard let source = raw.assumingMemoryBound(to: UInt8.self).baseAddress,
            var above = rows.assumingMemoryBound(to: UInt8.self).baseAddress,
            let target = image.assumingMemoryBound(to: UInt8.self).baseAddress
        else { return false }
        let rowSize = header.width * header.channels
        var row = above + rowRoom
        above.update(repeating: 0, count: rowRoom)
        for number in 0..<header.height {
            let from = source + number * (rowSize + 1)
            guard
                PNGFilter.undo(
                    from[0], from + 1, above: above, into: row, count: rowSize, pixelSize: header.channels)
            else { return false }
            rr_separate(
                row, header.channels, header.width, target + number * header.width,
                header.height * header.width)
            swap(&row, &above)
        }
        return true
    }
}

/// Memory that decoding needs beside the image, kept from one image to the next.
///
/// One thread uses it at a time.
package final class PNGWorkspace {
    /// Nil where there was no memory for it.
    fileprivate let decompressor: OpaquePointer?
    private var memory: UnsafeMutableRawBufferPointer

    package init() {
        decompressor = libdeflate_alloc_decompressor()
        memory = .allocate(byteCount: 64 << 10, alignment: 16)
    }

    deinit {
        libdeflate_free_decompressor(decompressor)
        memory.deallocate()
    }

    /// Memory of at least a size, whose content is left over from earlier.
    func memory(_ size: Int) -> UnsafeMutableRawBufferPointer {
        if memory.count < size {
            memory.deallocate()
            memory = .allocate(byteCount: size + size / 4, alignment: 16)
        }
        return UnsafeMutableRawBufferPointer(rebasing: memory[..<size])
    }
}

/// The filters that a PNG's rows were written with, undone (PNG, 9.2).
private enum PNGFilter {
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
