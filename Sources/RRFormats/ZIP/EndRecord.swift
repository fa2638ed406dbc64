/// The record at the end of a ZIP file that says where the directory is.
struct EndRecord {
    let memberCount: Int
    let directorySize: Int
    let directoryOffset: Int

    /// Finds it; behind it there is at most a comment of 65,535 bytes.
    ///
    /// - Throws: `FormatError` with the code `malformed`, `unsupported` or `cannotRead`.
    init(of file: RandomAccessFile) throws(FormatError) {
        let tailStart = max(0, file.size - 22 - 65_535)
        let tail = LittleEndianBytes(try file.bytes(at: tailStart, count: file.size - tailStart))
        guard
            let start = stride(from: tail.all.count - 22, through: 0, by: -1).first(where: {
                tail.integer(at: $0, size: 4) == 0x0605_4B50
                    && tail.integer(at: $0 + 20, size: 2) == tail.all.count - $0 - 22
            }),
            let disk = tail.integer(at: start + 4, size: 2),
            let memberCount = tail.integer(at: start + 10, size: 2),
            let directorySize = tail.integer(at: start + 12, size: 4),
            let directoryOffset = tail.integer(at: start + 16, size: 4)
        else {
            throw FormatError(
                .malformed, path: file.path,
                "this is not a ZIP file (.npz), or it is cut short: it has no end record")
        }
        guard memberCount == 0xFFFF || directorySize == 0xFFFF_FFFF || directoryOffset == 0xFFFF_FFFF else {
            guard disk == 0 else {
                throw FormatError(.unsupported, path: file.path, "this is one part of a ZIP file of several")
            }
            self.memberCount = memberCount
            self.directorySize = directorySize
            self.directoryOffset = directoryOffset
            return
        }
        // ZIP64: a locator right before, and the wide record where it points.
        guard tail.integer(at: start - 20, size: 4) == 0x0706_4B50,
            let recordOffset = tail.integer(at: start - 12, size: 8), recordOffset <= file.size
        else { throw ZIPFile.damaged(file.path) }
        let record = LittleEndianBytes(try file.bytes(at: recordOffset, count: 56))
        guard record.integer(at: 0, size: 4) == 0x0606_4B50,
            let wideCount = record.integer(at: 32, size: 8),
            let wideSize = record.integer(at: 40, size: 8),
            let wideOffset = record.integer(at: 48, size: 8)
        else { throw ZIPFile.damaged(file.path) }
        self.memberCount = wideCount
        self.directorySize = wideSize
        self.directoryOffset = wideOffset
    }
}
