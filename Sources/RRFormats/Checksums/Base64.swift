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

    /// The text of bytes, in one line.
    package static func text(of bytes: [UInt8]) -> String {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        return String(unsafeUninitializedCapacity: (bytes.count + 2) / 3 * 4) { text in
            var end = 0
            for start in stride(from: 0, to: bytes.count, by: 3) {
                let given = min(3, bytes.count - start)
                let group = (0..<3).reduce(0) { $0 << 8 | ($1 < given ? Int(bytes[start + $1]) : 0) }
                for place in 0..<4 {
                    text[end] =
                        place > given ? UInt8(ascii: "=") : digits[group >> (18 - 6 * place) & 63]
                    end += 1
                }
            }
            return end
        }
    }
}
