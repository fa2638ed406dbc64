/// The CRC-32C, Castagnoli's polynomial, of iSCSI and of TensorFlow's records.
///
/// Source: RFC 3720, 12.1; bit by bit reflected, by a table of what each byte adds (Sarwate, "Computation of cyclic redundancy
/// checks via table look-up", CACM 31, 1988).
package enum CRC32C {
    /// What a byte adds to the remainder.
    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { value, _ in value >> 1 ^ (value & 1 == 1 ? 0x82F6_3B78 : 0) }
    }

    /// The checksum of bytes; 0 for none.
    package static func checksum(of bytes: some Sequence<UInt8>) -> UInt32 {
        ~bytes.reduce(~0) { value, byte in value >> 8 ^ table[Int(UInt8(truncatingIfNeeded: value) ^ byte)] }
    }

    /// The checksum as it stands beside a record of TensorFlow, which may itself hold checksums: turned, and moved by a constant.
    ///
    /// Source: TensorFlow's `tensorflow/core/lib/hash/crc32c.h`, `Mask`.
    package static func masked(of bytes: some Sequence<UInt8>) -> UInt32 {
        let value = checksum(of: bytes)
        return (value >> 15 | value << 17) &+ 0xA282_EAD8
    }
}
