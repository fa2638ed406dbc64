internal import CLibCrypto
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

/// The checksum of HDF5's filter fletcher32: Fletcher's of 16-bit words, the most significant byte first.
///
/// An odd byte at the end is the upper half of a last word (the HDF5 library's `H5_checksum_fletcher32`).
enum Fletcher32 {
    static func checksum(of bytes: UnsafeRawBufferPointer) -> UInt32 {
        var (first, second): (UInt32, UInt32) = (0, 0)
        var position = 0
        let words = bytes.count / 2
        var left = words
        while left > 0 {
            // As many as cannot overflow the sums.
            let batch = min(left, 360)
            left -= batch
            for _ in 0..<batch {
                first &+= UInt32(bytes[position]) << 8 | UInt32(bytes[position + 1])
                second &+= first
                position += 2
            }
            first = first & 0xFFFF &+ first >> 16
            second = second & 0xFFFF &+ second >> 16
        }
        if bytes.count % 2 == 1 {
            first &+= UInt32(bytes[position]) << 8
            second &+= first
            first = first & 0xFFFF &+ first >> 16
            second = second & 0xFFFF &+ second >> 16
        }
        first = first & 0xFFFF &+ first >> 16
        second = second & 0xFFFF &+ second >> 16
        return second << 16 | first
    }
}

/// SHA-256 (FIPS 180-4) of bytes that come piece by piece.
package struct SHA256Hasher: ~Copyable {
    private let context: OpaquePointer?

    package init() {
        context = EVP_MD_CTX_new()
        EVP_DigestInit_ex(context, EVP_sha256(), nil)
    }

    private init(copying other: borrowing SHA256Hasher) {
        context = EVP_MD_CTX_new()
        EVP_MD_CTX_copy_ex(context, other.context)
    }

    /// A hasher that has been given the same bytes.
    package func copy() -> SHA256Hasher { SHA256Hasher(copying: self) }

    /// Adds bytes.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
    }

    /// The hash of all bytes added, in 64 lower-case hexadecimal digits.
    package consuming func finalize() -> String {
        var digest = [UInt8](repeating: 0, count: 32)
        var length: UInt32 = 0
        let status = EVP_DigestFinal_ex(context, &digest, &length)
        precondition(status == 1 && length == 32, "libcrypto has no SHA-256")
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// The hash of a file of any size.
    ///
    /// - Throws: `FormatError` with the code `notFound` or `cannotRead`.
    package static func hash(ofFileAt path: String) throws(FormatError) -> String {
        let file = try InputFile(reading: path, pipeLimit: .max)
        var hasher = SHA256Hasher()
        for offset in stride(from: 0, to: file.size, by: 1 << 20) {
            try file.bytes(at: offset, count: 1 << 20).withUnsafeBytes { hasher.update($0) }
        }
        return hasher.finalize()
    }

    deinit {
        EVP_MD_CTX_free(context)
    }
}
