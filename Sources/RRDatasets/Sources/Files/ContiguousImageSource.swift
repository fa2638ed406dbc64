internal import RRFormats

/// Images that lie in one piece in the file, read past libhdf5 and without a lock.
final class ContiguousImageSource: ImageSource, ImageRowReader {
    private let file: RandomAccessFile
    private let offset: Int
    private let rowSize: Int
    private let location: String

    /// Opens the file anew.
    ///
    /// - Throws: `FormatError` with the code `malformed` where the images do not lie inside the file.
    init(path: String, offset: Int, rowSize: Int, rowCount: Int) throws(FormatError) {
        file = try RandomAccessFile(path: path)
        location = "\(path):/images"
        self.offset = offset
        self.rowSize = rowSize
        let (length, overflow) = rowSize.multipliedReportingOverflow(by: rowCount)
        guard !overflow, offset >= 0, offset <= file.size, length <= file.size - offset else {
            throw FormatError(
                .malformed, path: "\(path):/images",
                "the file is cut short: the images end beyond its \(file.size) bytes")
        }
    }

    /// Small images cost a system call each; large ones come from the system's own cache as fast as from ours.
    var block: ImageBlock {
        ImageBlock(rows: max(1, (8 << 10) / rowSize), isWorthKeeping: rowSize < 32 << 10)
    }

    func makeReader() -> any ImageRowReader { self }

    func checkUnchanged() throws(FormatError) { try file.checkUnchanged() }

    func read(rows: Range<Int>, into bytes: UnsafeMutableRawBufferPointer) throws(FormatError) {
        try file.read(
            at: offset + rows.lowerBound * rowSize,
            into: UnsafeMutableRawBufferPointer(rebasing: bytes.prefix(rows.count * rowSize)),
            location: location)
    }
}
