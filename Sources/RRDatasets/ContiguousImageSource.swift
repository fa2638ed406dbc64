internal import RRFormats

/// Images that lie in one piece in the file, read past libhdf5 and without a lock.
final class ContiguousImageSource: ImageSource {
    private let file: RandomAccessFile
    private let offset: Int
    private let rowSize: Int

    /// Opens the file anew.
    ///
    /// - Throws: `FormatError` with the code `malformed` where the images do not lie inside the file.
    init(path: String, offset: Int, rowSize: Int, rowCount: Int) throws(FormatError) {
        file = try RandomAccessFile(path: path)
        self.offset = offset
        self.rowSize = rowSize
        let (length, overflow) = rowSize.multipliedReportingOverflow(by: rowCount)
        guard !overflow, offset >= 0, offset <= file.size, length <= file.size - offset else {
            throw FormatError(
                .malformed, path: "\(path):/images",
                "the file is cut short: the images end beyond its \(file.size) bytes")
        }
    }

    func read(rows: Range<Int>, into bytes: UnsafeMutableRawBufferPointer) throws {
        try file.read(
            at: offset + rows.lowerBound * rowSize,
            into: UnsafeMutableRawBufferPointer(rebasing: bytes.prefix(rows.count * rowSize)),
            location: "\(file.path):/images")
    }
}
