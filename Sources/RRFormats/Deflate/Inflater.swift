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

/// Files that gzip (RFC 1952) has compressed.
enum GzipFile {
    static let signature: [UInt8] = [0x1F, 0x8B]

    /// Inflates a whole file, of one member or several.
    ///
    /// Memory is bounded by what deflate can make of the file's bytes.
    ///
    /// - Throws: `FormatError` with the code `malformed`, or `cannotRead`.
    static func inflate(_ compressed: [UInt8], path: String) throws(FormatError) -> [UInt8] {
        guard let inflater = Inflater() else {
            throw FormatError(.cannotRead, path: path, "there is no memory to inflate it")
        }
        guard compressed.count >= 18, compressed.starts(with: signature) else {
            throw FormatError(.malformed, path: path, "the gzip file is cut short")
        }
        // The last four bytes are the last member's size, modulo 2^32: nearly always that of the whole.
        let claimed = compressed.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        let limit = compressed.count * Inflater.largestRatio
        var inflated = [UInt8](repeating: 0, count: min(limit, claimed))
        var (position, count) = (0, 0)
        while position < compressed.count {
            let outcome = compressed.withUnsafeBytes { source in
                inflated.withUnsafeMutableBytes { target in
                    inflater.inflate(
                        .init(rebasing: source[position...]), .gzip, into: .init(rebasing: target[count...]))
                }
            }
            switch outcome {
            case .done(let read, let written):
                position += read
                count += written
                // Tapes and some programs pad the file with zeros.
                if compressed[position...].allSatisfy({ $0 == 0 }) { position = compressed.count }
            case .targetFull where inflated.count < limit:
                let more = min(limit, max(1 << 16, inflated.count * 2)) - inflated.count
                inflated.append(contentsOf: repeatElement(0, count: more))
            case .targetFull, .damaged:
                throw FormatError(.malformed, path: path, "the gzip file is damaged or cut short")
            }
        }
        inflated.removeLast(inflated.count - count)
        return inflated
    }
}
