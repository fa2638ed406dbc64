internal import CLibDeflate

/// Faults of image files that are read over, as in OpenCV and browsers: all but the last leave the pixels whole.
package struct PNGFaults: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// A chunk that a decoder need not know has a wrong checksum; it is left out.
    package static let checksum = PNGFaults(rawValue: 1)
    /// A tRNS chunk has a length that it cannot have; it is left out, so that nothing is transparent.
    package static let transparency = PNGFaults(rawValue: 2)
    /// There is data after the last row, which is left out.
    package static let surplus = PNGFaults(rawValue: 4)
    /// A JPEG file has bytes that belong to nothing, before a marker.
    package static let strayBytes = PNGFaults(rawValue: 8)
    /// A JPEG file ends before its image does, and was filled up with gray; only where that is asked for.
    package static let cutShort = PNGFaults(rawValue: 16)

    /// Each fault with its words for a list.
    package static let all: [(fault: PNGFaults, words: String)] = [
        (.checksum, "an ancillary chunk with a wrong checksum"),
        (.transparency, "a tRNS chunk of a wrong length, without which nothing is transparent"),
        (.surplus, "data after the last row"),
        (.strayBytes, "bytes that belong to nothing before a marker of JPEG"),
        (.cutShort, "an end before that of their image, which was filled up with gray"),
    ]
}

/// Makes sound files of those with harmless faults: the checksums of the image and of its data are right.
enum PNGMending {
    /// Data beyond an image's rows that is looked through, in bytes; no program that people use writes more.
    private static let largestSurplus = 1 << 24

    /// Mends a file that libpng refuses.
    ///
    /// - Parameter bytes: the file, whose header is sound.
    /// - Returns: a file with the same pixels, and what was wrong; nil where that is nothing of the kind.
    static func mend(_ bytes: UnsafeRawBufferPointer) -> (bytes: [UInt8], faults: PNGFaults)? {
        guard bytes.count >= 33, let size = dataSize(bytes) else { return nil }
        var faults: PNGFaults = []
        var mended = Array(bytes[..<33])
        var data: [UInt8] = []
        var paletteCount = 0
        var offset = 33
        while let chunk = PNGChunk(bytes, at: offset) {
            let whole = bytes[offset..<chunk.end]
            offset = chunk.end
            if chunk.type == PNGChunk.imageData {
                // A chunk of data that is damaged is nothing to mend.
                guard chunk.hasRightChecksum(in: bytes) else { return nil }
                data += bytes[chunk.data]
                if PNGChunk(bytes, at: offset)?.type == PNGChunk.imageData { continue }
                if let rows = rows(in: data, size: size) {
                    data = rows
                    faults.insert(.surplus)
                }
                append("IDAT", data, to: &mended)
                data = []
            } else if chunk.isAncillary, !chunk.hasRightChecksum(in: bytes) {
                faults.insert(.checksum)
            } else if chunk.type == PNGChunk.transparency,
                !chunk.isTransparency(of: bytes[25], bitDepth: bytes[24], paletteCount: paletteCount)
            {
                faults.insert(.transparency)
            } else {
                if chunk.type == PNGChunk.palette { paletteCount = chunk.data.count / 3 }
                mended += whole
                if chunk.type == PNGChunk.end { break }
            }
        }
        return faults.isEmpty ? nil : (mended + bytes[offset...], faults)
    }

    /// The bytes of all rows with their filters, which the data inflates to; nil where that is too many.
    static func dataSize(_ bytes: UnsafeRawBufferPointer) -> Int? {
        func bigEndian(at offset: Int) -> Int {
            Int(UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
        }
        let (width, height) = (bigEndian(at: 16), bigEndian(at: 20))
        guard let channels = [0: 1, 2: 3, 3: 1, 4: 2, 6: 4][Int(bytes[25])],
            max(width, height) <= PNGHeader.largestExtent
        else { return nil }
        let bits = channels * Int(bytes[24])
        func size(_ width: Int, _ height: Int) -> Int {
            width == 0 ? 0 : (1 + (width * bits + 7) / 8) * height
        }
        guard bytes[28] == 1 else { return size(width, height) }
        // The passes of Adam7: where each begins, and its steps.
        let passes = [
            (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2),
        ]
        return passes.reduce(0) { sum, pass in
            let (left, top, across, down) = pass
            return sum + size((width - left + across - 1) / across, (height - top + down - 1) / down)
        }
    }

    /// The data of an image's rows alone, compressed anew; nil where there is no more, or it is damaged.
    private static func rows(in data: [UInt8], size: Int) -> [UInt8]? {
        guard size <= PNGHeader.largestByteCount, size <= data.count * Inflater.largestRatio,
            let inflater = Inflater()
        else { return nil }
        let room = size + min(largestSurplus, data.count * Inflater.largestRatio - size)
        let target = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, room), alignment: 16)
        defer { target.deallocate() }
        let outcome = data.withUnsafeBytes {
            inflater.inflate($0, .zlib, into: UnsafeMutableRawBufferPointer(rebasing: target[..<room]))
        }
        guard case .done(let read, let written) = outcome, written >= size,
            read < data.count || written > size,
            let compressor = libdeflate_alloc_compressor(1)
        else { return nil }
        defer { libdeflate_free_compressor(compressor) }
        let bound = libdeflate_zlib_compress_bound(compressor, size)
        return [UInt8](unsafeUninitializedCapacity: bound) { bytes, count in
            count = libdeflate_zlib_compress(compressor, target.baseAddress, size, bytes.baseAddress, bound)
        }
    }

    private static func append(_ type: String, _ data: [UInt8], to file: inout [UInt8]) {
        func bigEndian(_ number: Int) -> [UInt8] {
            withUnsafeBytes(of: UInt32(truncatingIfNeeded: number).bigEndian) { Array($0) }
        }
        let content = Array(type.utf8) + data
        file += bigEndian(data.count) + content
        file += bigEndian(Int(content.withUnsafeBytes { CRC32.checksum(of: $0) }))
    }
}

extension PNGChunk {
    /// Whether an image can be decoded by those who do not know the chunk (PNG, 5.4).
    var isAncillary: Bool { type & 0x2000_0000 != 0 }

    /// Whether a tRNS chunk is as long as that of such an image is.
    ///
    /// - Parameter paletteCount: the colours of the palette before it.
    func isTransparency(of colorType: UInt8, bitDepth: UInt8, paletteCount: Int) -> Bool {
        switch PNGStorage.ColorType(rawValue: colorType) {
        case .gray?: data.count == 2
        case .rgb?: data.count == 6
        case .palette?: data.count > 0 && data.count <= min(paletteCount, 1 << Int(bitDepth))
        default: false
        }
    }
}
