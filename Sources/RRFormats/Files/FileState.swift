internal import Glibc

/// What changes about a file when somebody writes to it or puts another in its place: its size, the time of its last
/// change, and the number that the file system knows it by.
package struct FileState: Equatable, Sendable {
    /// In bytes.
    package let size: Int
    /// Since 1970.
    private let nanoseconds: Int
    private let number: UInt64

    /// Asks the system about an open file; nil where it refuses, with the reason in `errno`.
    package init?(descriptor: Int32) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        size = Int(status.st_size)
        nanoseconds = status.st_mtim.tv_sec &* 1_000_000_000 &+ status.st_mtim.tv_nsec
        number = UInt64(status.st_ino)
    }

    /// - Throws: `FormatError` with the code `cannotRead` where the system refuses.
    init(of file: borrowing InputFile, path: String) throws(FormatError) {
        guard let state = FileState(descriptor: file.descriptor) else {
            throw FormatError(.cannotRead, path: path, SystemFailure.message(errno))
        }
        self = state
    }
}
