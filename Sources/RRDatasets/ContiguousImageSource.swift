internal import Glibc
internal import RRFormats

/// Images that lie in one piece in the file, read past libhdf5 and without a lock.
final class ContiguousImageSource: ImageSource {
    private let file: InputFile
    private let path: String
    private let offset: Int
    private let rowSize: Int

    /// Opens the file anew.
    ///
    /// - Throws: `FormatError` with the code `malformed` where the images do not lie inside the file.
    init(path: String, offset: Int, rowSize: Int, rowCount: Int) throws(FormatError) {
        file = try InputFile(reading: path)
        self.path = path
        self.offset = offset
        self.rowSize = rowSize
        let size = try file.size()
        let (length, overflow) = rowSize.multipliedReportingOverflow(by: rowCount)
        guard !overflow, offset >= 0, offset <= size, length <= size - offset else {
            throw FormatError(
                .malformed, path: "\(path):/images",
                "the file is cut short: the images end beyond its \(size) bytes")
        }
    }

    func read(rows: Range<Int>, into bytes: UnsafeMutableRawBufferPointer) throws {
        var position = offset + rows.lowerBound * rowSize
        var rest = UnsafeMutableRawBufferPointer(rebasing: bytes.prefix(rows.count * rowSize))
        while !rest.isEmpty {
            let count = pread(file.descriptor, rest.baseAddress, rest.count, position)
            if count > 0 {
                position += count
                rest = UnsafeMutableRawBufferPointer(rebasing: rest.dropFirst(count))
            } else if count == 0 {
                throw FormatError(.malformed, path: "\(path):/images", "the file was cut short while in use")
            } else if errno != EINTR {
                throw FormatError(.cannotRead, path: "\(path):/images", SystemFailure.message(errno))
            }
        }
    }
}
