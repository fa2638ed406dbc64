internal import CLibDeflate

/// zlib's CRC-32: the checksum of PNG, gzip, and Python's `zlib.crc32`.
package enum CRC32 {
    /// The checksum of bytes; 0 for none.
    package static func checksum(of bytes: UnsafeRawBufferPointer) -> UInt32 {
        libdeflate_crc32(0, bytes.baseAddress, bytes.count)
    }
}
