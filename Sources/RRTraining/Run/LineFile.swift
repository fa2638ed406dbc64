internal import Glibc
internal import RRFormats

/// A text file that is written line by line, through a buffer.
final class LineFile {
    private let path: String
    private var descriptor: Int32
    private var pending: [UInt8] = []
    /// The bytes in the file, without those in the buffer.
    private var size = 0

    /// - Parameter shownPath: the file's name in messages.
    /// - Throws: `FormatError` with the code `cannotWrite`.
    init(creating path: String, shownAs shownPath: String) throws(FormatError) {
        self.path = shownPath
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw Self.failure(shownPath) }
    }

    /// Opens a file to go on after its first bytes; what comes after them is cut off.
    ///
    /// - Throws: `FormatError` with the code `cannotWrite`, or `malformed` where the file is shorter.
    init(continuing path: String, after size: Int) throws(FormatError) {
        self.path = path
        descriptor = open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.failure(path) }
        let end = lseek(descriptor, 0, SEEK_END)
        guard end >= size else {
            throw FormatError(
                .malformed, path: path,
                "the file has \(end) bytes, but \(size) when the checkpoint was written: it was changed since"
            )
        }
        guard ftruncate(descriptor, size) == 0, lseek(descriptor, size, SEEK_SET) == size else {
            throw Self.failure(path)
        }
        self.size = size
    }

    deinit {
        if descriptor >= 0 { _ = Glibc.close(descriptor) }
    }

    func append(_ line: String) throws(FormatError) {
        pending += line.utf8
        pending.append(UInt8(ascii: "\n"))
        if pending.count >= 1 << 16 { _ = try flush() }
    }

    /// Writes what is in the buffer, brings it to the disk, and tells the size of the file.
    func sync() throws(FormatError) -> Int {
        let size = try flush()
        try Durability.sync(descriptor, shownAs: path)
        return size
    }

    /// Writes what is in the buffer, and tells the size of the file.
    func flush() throws(FormatError) -> Int {
        var written = 0
        while written < pending.count {
            let count = pending.withUnsafeBytes { bytes in
                write(descriptor, bytes.baseAddress.map { $0 + written }, bytes.count - written)
            }
            if count >= 0 {
                written += count
            } else if errno != EINTR {
                throw Self.failure(path)
            }
        }
        size += pending.count
        pending.removeAll(keepingCapacity: true)
        return size
    }

    func close() throws(FormatError) {
        _ = try flush()
        let result = Glibc.close(descriptor)
        descriptor = -1
        guard result == 0 else { throw Self.failure(path) }
    }

    private static func failure(_ path: String) -> FormatError {
        FormatError(writing: path, failure: errno)
    }
}
