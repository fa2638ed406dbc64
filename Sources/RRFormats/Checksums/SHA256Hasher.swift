internal import CLibCrypto

/// SHA-256 (FIPS 180-4) of bytes that come piece by piece.
package struct SHA256Hasher: ~Copyable {
    private let context: OpaquePointer?

    package init() {
        context = EVP_MD_CTX_new()
        EVP_DigestInit_ex(context, EVP_sha256(), nil)
    }

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
        let file = try RandomAccessFile(path: path)
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
