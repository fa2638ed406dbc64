/// How the pixels of a file are to be turned for the eye (Exif 2.32, tag 274; PNG, 11.3.2.11): where its first row and
/// its first column lie.
package enum PNGOrientation: UInt16, Sendable, Hashable {
    case topLeft = 1
    case topRight = 2
    case bottomRight = 3
    case bottomLeft = 4
    case leftTop = 5
    case rightTop = 6
    case rightBottom = 7
    case leftBottom = 8

    /// Whether rows become columns.
    package var swapsExtents: Bool { rawValue >= 5 }

    /// Reads the orientation from a file's eXIf chunk, wherever that is; upright where it has no sound one, or that says
    /// nothing.
    package init(of file: UnsafeRawBufferPointer) {
        var found: PNGOrientation?
        var offset = 8
        while found == nil, let chunk = PNGChunk(file, at: offset), chunk.type != PNGChunk.end {
            if chunk.type == PNGChunk.exif, chunk.hasRightChecksum(in: file) {
                found = PNGOrientation(exif: UnsafeRawBufferPointer(rebasing: file[chunk.data]))
            }
            offset = chunk.end
        }
        self = found ?? .topLeft
    }

    /// Reads the first image's entries of a TIFF structure.
    init?(exif bytes: UnsafeRawBufferPointer) {
        // Some programs leave the head that the same data has in JPEG.
        let head = Array("Exif\0\0".utf8)
        let data = bytes.starts(with: head) ? UnsafeRawBufferPointer(rebasing: bytes[head.count...]) : bytes
        let isBigEndian = data.first == UInt8(ascii: "M")
        func integer(at offset: Int, size: Int) -> Int? {
            guard offset >= 0, offset <= data.count - size else { return nil }
            let bytes = data[offset..<offset + size]
            return (isBigEndian ? Array(bytes) : bytes.reversed()).reduce(0) { $0 << 8 | Int($1) }
        }
        guard data.starts(with: (isBigEndian ? "MM" : "II").utf8), integer(at: 2, size: 2) == 42,
            let directory = integer(at: 4, size: 4), let count = integer(at: directory, size: 2)
        else { return nil }
        for entry in 0..<count {
            let start = directory + 2 + entry * 12
            guard let tag = integer(at: start, size: 2) else { return nil }
            guard tag == 274 else { continue }
            // A short number stands in the first bytes of the value.
            guard integer(at: start + 2, size: 2) == 3, let value = integer(at: start + 8, size: 2) else {
                return nil
            }
            self.init(rawValue: UInt16(value))
            return
        }
        return nil
    }

    /// An image's header once it is turned.
    package func turned(_ header: PNGHeader) -> PNGHeader {
        guard swapsExtents else { return header }
        return PNGHeader(
            width: header.height, height: header.width, channels: header.channels, bitDepth: header.bitDepth)
    }

    /// Turns an image.
    ///
    /// - Parameters:
    ///   - planes: the planes `(C, H, W)` of `header`.
    ///   - target: as many bytes, for the planes of `turned(header)`.
    package func turn(
        _ planes: UnsafeRawBufferPointer, of header: PNGHeader, into target: UnsafeMutableRawBufferPointer
    ) {
        if header.bitDepth == 16 {
            turn(
                planes.assumingMemoryBound(to: UInt16.self), header,
                target.assumingMemoryBound(to: UInt16.self))
        } else {
            turn(
                planes.assumingMemoryBound(to: UInt8.self), header, target.assumingMemoryBound(to: UInt8.self)
            )
        }
    }

    @specialized(where Sample == UInt8)
    @specialized(where Sample == UInt16)
    private func turn<Sample: BitwiseCopyable>(
        _ source: UnsafeBufferPointer<Sample>, _ header: PNGHeader,
        _ target: UnsafeMutableBufferPointer<Sample>
    ) {
        let (height, width) = (header.height, header.width)
        // Where the first pixel of the turned image lies, and the steps to its right and lower neighbours.
        let (first, right, down) =
            switch self {
            case .topLeft: (0, 1, width)
            case .topRight: (width - 1, -1, width)
            case .bottomRight: (height * width - 1, -1, -width)
            case .bottomLeft: ((height - 1) * width, 1, -width)
            case .leftTop: (0, width, 1)
            case .rightTop: ((height - 1) * width, -width, 1)
            case .rightBottom: (height * width - 1, -width, -1)
            case .leftBottom: (width - 1, width, -1)
            }
        let turned = turned(header)
        var position = 0
        for channel in 0..<header.channels {
            for row in 0..<turned.height {
                var place = channel * height * width + first + row * down
                for _ in 0..<turned.width {
                    target[position] = source[place]
                    position += 1
                    place += right
                }
            }
        }
    }
}
