internal import CLibDeflate

/// zlib's CRC-32: the checksum of PNG, gzip, and Python's `zlib.crc32`.
package enum CRC32 {
    /// The checksum of bytes; 0 for none.
    package static func checksum(of bytes: UnsafeRawBufferPointer) -> UInt32 {
        libdeflate_crc32(0, bytes.baseAddress, bytes.count)
    }
}

extension CRC32 {
    /// The checksum of bytes that come piece by piece.
    struct Running {
        private(set) var value: UInt32 = 0

        mutating func update(_ bytes: UnsafeRawBufferPointer) {
            // Without bytes libdeflate would start anew.
            guard !bytes.isEmpty else { return }
            value = libdeflate_crc32(value, bytes.baseAddress, bytes.count)
        }
    }
}
