internal import RRFormats
package import RRTensor

/// The name of a dataset's content, by which a mask set says which dataset it is for.
package enum DatasetFingerprint {
    /// Computes the fingerprint.
    ///
    /// SHA-256 over: the UTF-8 of each id and a zero byte; the labels as int64, nothing where there are none;
    /// C, H and W as int64; the checksums as uint32. Numbers are little-endian.
    ///
    /// - Parameter id: the id of each sample, of which there are as many as checksums.
    /// - Returns: 64 lower-case hexadecimal digits.
    package static func compute(
        id: (_ index: Int) -> String, labels: [Int]?, imageShape: ImageShape, checksums: [UInt32]
    ) -> String {
        summary(id: id, labels: labels, imageShape: imageShape, checksums: checksums).fingerprint
    }

    /// Computes the fingerprint, and on the way what a file says of its ids.
    ///
    /// - Returns: also the digest of the ids as `ContentDigests` has it of texts, and the UTF-8 bytes of the longest.
    static func summary(
        id: (_ index: Int) -> String, labels: [Int]?, imageShape: ImageShape, checksums: [UInt32]
    ) -> (fingerprint: String, idDigest: String, longestId: Int) {
        var hasher = SHA256Hasher()
        var bytes: [UInt8] = []
        var longestId = 0
        for index in checksums.indices {
            let start = bytes.count
            bytes.append(contentsOf: id(index).utf8)
            longestId = max(longestId, bytes.count - start)
            bytes.append(0)
            guard bytes.count > 65_536 else { continue }
            bytes.withUnsafeBytes { hasher.update($0) }
            bytes.removeAll(keepingCapacity: true)
        }
        bytes.withUnsafeBytes { hasher.update($0) }
        let idDigest = hasher.copy().finalize()
        (labels ?? []).map { Int64($0).littleEndian }.withUnsafeBytes { hasher.update($0) }
        imageShape.dimensions.map { Int64($0).littleEndian }.withUnsafeBytes { hasher.update($0) }
        checksums.map(\.littleEndian).withUnsafeBytes { hasher.update($0) }
        return (hasher.finalize(), idDigest, longestId)
    }
}
