internal import RRFormats
internal import RRTensor
internal import Synchronization

extension Dataset {
    /// The hexadecimal SHA-256 over ids, labels, image shape and checksums.
    ///
    /// A dataset file has it stored. Of a folder of PNGs, whose images must be decoded for it, and of several files that
    /// are joined, it is computed when it is first asked for.
    ///
    /// - Throws: of a folder `DatasetError` with the code `unreadableImage`, or `FormatError`, with the file; of joined
    ///   files as `ids()`.
    public var fingerprint: String {
        get throws { try fingerprint { _, _ in } }
    }

    /// Whether images are read from a folder of PNGs.
    package var readsFolder: Bool { pngs != nil || parts.contains { $0.readsFolder } }

    /// Whether the fingerprint need not be computed.
    package var hasFingerprint: Bool { knownFingerprint.withLock { $0 != nil } }

    /// The same, telling how far decoding has come.
    ///
    /// - Parameter progress: called with the number of images done and the number of all of a folder.
    package func fingerprint(progress: (_ done: Int, _ total: Int) -> Void) throws -> String {
        if let known = knownFingerprint.withLock({ $0 }) { return known }
        let fingerprint = try DatasetFingerprint.compute(
            ids: ids(), labels: labels, imageShape: imageShape, checksums: checksums(progress: progress))
        knownFingerprint.withLock { $0 = fingerprint }
        return fingerprint
    }

    /// The CRC-32 of each image's stored bytes.
    ///
    /// - Throws: as `fingerprint`.
    package func checksums(progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }) throws -> [UInt32] {
        if let pngs { return try pngs.allChecksums(progress: progress) }
        return parts.isEmpty ? storedChecksums : try parts.flatMap { try $0.checksums(progress: progress) }
    }
}
