internal import CLibDeflate

/// Inflates whole buffers by libdeflate. One thread at a time uses it.
final class Inflater {
    enum Wrapping {
        /// As in ZIP files.
        case none
        /// As in HDF5 and PNG files.
        case zlib
        /// As in `.gz` files.
        case gzip
    }

    enum Outcome: Equatable {
        /// The bytes read and written.
        case done(read: Int, written: Int)
        /// The data or its checksum is damaged.
        case damaged
        /// The target is too small.
        case targetFull
    }

    /// Deflate makes data at most this many times smaller: a match of 258 bytes takes 2 bits.
    static let largestRatio = 1032

    private let decompressor: OpaquePointer

    /// Creates an inflater; nil where there is no memory.
    init?() {
        guard let decompressor = libdeflate_alloc_decompressor() else { return nil }
        self.decompressor = decompressor
    }

    deinit { libdeflate_free_decompressor(decompressor) }

    /// Inflates one stream from the start of a buffer.
    func inflate(
        _ source: UnsafeRawBufferPointer, _ wrapping: Wrapping, into target: UnsafeMutableRawBufferPointer
    ) -> Outcome {
        var (read, written) = (0, 0)
        let (input, inputCount) = (source.baseAddress, source.count)
        let (output, outputCount) = (target.baseAddress, target.count)
        let result =
            switch wrapping {
            case .none:
                libdeflate_deflate_decompress_ex(
                    decompressor, input, inputCount, output, outputCount, &read, &written)
            case .zlib:
                libdeflate_zlib_decompress_ex(
                    decompressor, input, inputCount, output, outputCount, &read, &written)
            case .gzip:
                libdeflate_gzip_decompress_ex(
                    decompressor, input, inputCount, output, outputCount, &read, &written)
            }
        return switch result {
        case LIBDEFLATE_SUCCESS: .done(read: read, written: written)
        case LIBDEFLATE_INSUFFICIENT_SPACE: .targetFull
        default: .damaged
        }
    }
}

// Streams that are told to be large.
extension Inflater {
    /// Memory that a stream may take because it is told to, in bytes; for more it must have shown half of that.
    ///
    /// A stream of natural data is two to eight times its compressed size, and one of zeros a thousand times.
    private static let largestTrust = 64 << 20
    /// A block that deflate stores as it is, in bytes; libdeflate copies it whole or not at all.
    private static let largestStoredBlock = 65_535
    private static let longestMatch = 258

    /// The room for a stream to begin with, in bytes.
    static func firstRoom(for size: Int, compressed: Int) -> Int {
        min(size, max(largestTrust, compressed * 8))
    }

    /// Inflates one stream of a stated size, in memory that grows with what the stream has shown.
    ///
    /// - Parameter size: the size that is stated; a stream that has more is `targetFull`.
    /// - Returns: the bytes where the outcome is `done`, else none.
    func bytes(
        of source: UnsafeRawBufferPointer, _ wrapping: Wrapping, size: Int
    ) -> (bytes: [UInt8], outcome: Outcome) {
        var room = Self.firstRoom(for: size, compressed: source.count)
        while true {
            var outcome = Outcome.damaged
            let bytes = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
                outcome = inflate(
                    source, wrapping,
                    into: UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: room))
                if case .done(_, let written) = outcome { count = written }
            }
            guard outcome == .targetFull, room < size else { return (bytes, outcome) }
            room = min(size, room * 2)
        }
    }

    /// Inflates the beginning of one stream.
    ///
    /// libdeflate writes a stream in its order and stops where the room ends, so that what stands before the last block
    /// is the stream's.
    ///
    /// - Returns: the first bytes, `count` of them where there are as many, and where the stream ended if it has; no bytes
    ///   where it is damaged.
    func beginning(
        of source: UnsafeRawBufferPointer, _ wrapping: Wrapping, count wanted: Int
    ) -> (bytes: [UInt8], end: Int?) {
        let room = wanted + Self.largestStoredBlock + Self.longestMatch
        var end: Int?
        let bytes = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
            let target = UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: room)
            switch inflate(source, wrapping, into: target) {
            case .done(let read, let written): (end, count) = (read, min(written, wanted))
            case .targetFull: count = wanted
            case .damaged: break
            }
        }
        return (bytes, end)
    }
}
