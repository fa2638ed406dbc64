internal import CLibDeflate

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
