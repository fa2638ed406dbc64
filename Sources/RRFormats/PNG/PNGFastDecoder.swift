internal import CLibDeflate

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
        guard hasEnoughWindow(whole, dataSize: rawSize), workspace.inflate(whole, into: raw) else {
            return false
        }
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
            PixelPlanes.separate(
                row, channels: header.channels, count: header.width, into: target + number * header.width,
                planeSize: header.height * header.width)
            swap(&row, &above)
        }
        return true
    }
}

/// Memory that decoding needs beside the image, kept from one image to the next.
///
/// One thread uses it at a time.
package final class PNGWorkspace {
    private let decompressor: OpaquePointer?
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

    /// Inflates a zlib stream (RFC 1950) that fills memory exactly.
    ///
    /// - Returns: whether the stream is sound, its checksum right, and neither it nor its data has a byte more or
    ///   less.
    func inflate(_ stream: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) -> Bool {
        guard let decompressor else { return false }
        var (used, made) = (0, 0)
        let result = libdeflate_zlib_decompress_ex(
            decompressor, stream.baseAddress, stream.count, target.baseAddress, target.count, &used, &made)
        return result == LIBDEFLATE_SUCCESS && used == stream.count && made == target.count
    }
}
