internal import RRFormats
internal import RRTensor

extension MaskSet {
    /// Computes a name for the content, of 64 hexadecimal digits.
    ///
    /// SHA-256 over: C, H and W as int64; `/row` as int64; the rows of A, the last one too, each as one bit an element,
    /// lowest bit first, and zeros up to a multiple of 64 bits. Numbers are little-endian.
    package func fingerprint() -> String {
        var hasher = SHA256Hasher()
        maskShape.dimensions.map { Int64($0).littleEndian }.withUnsafeBytes { hasher.update($0) }
        rows.map { Int64($0).littleEndian }.withUnsafeBytes { hasher.update($0) }
        bits.withWords { hasher.update(UnsafeRawBufferPointer($0)) }
        return hasher.finalize()
    }
}
