internal import CLibCrypto

/// Bytes as text (RFC 4648, section 4).
package enum Base64 {
    /// The bytes of a text; nil where it is none.
    ///
    /// White space, as some break long texts by, is passed over.
    package static func bytes(of text: String) -> [UInt8]? {
        let spaces: Set<UInt8> = [0x20, 0x09, 0x0A, 0x0D]
        let digits = text.utf8.filter { !spaces.contains($0) }
        guard digits.count % 4 == 0, digits.count < Int(Int32.max) else { return nil }
        guard !digits.isEmpty else { return [] }
        let padding = digits.reversed().prefix { $0 == UInt8(ascii: "=") }.count
        guard padding <= 2, !digits.dropLast(padding).contains(UInt8(ascii: "=")) else { return nil }
        var isSound = true
        let bytes = [UInt8](unsafeUninitializedCapacity: digits.count / 4 * 3) { buffer, count in
            let written = EVP_DecodeBlock(buffer.baseAddress, digits, Int32(digits.count))
            isSound = Int(written) == buffer.count
            count = isSound ? buffer.count - padding : 0
        }
        return isSound ? bytes : nil
    }
}
