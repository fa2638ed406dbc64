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
