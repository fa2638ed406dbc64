internal import Glibc

/// What changes about a file when somebody writes to it: its size and the time of its last change.
struct FileState: Equatable, Sendable {
    private let size: Int
    private let seconds: Int
    private let nanoseconds: Int

    /// - Throws: `FormatError` with the code `cannotRead` where the system refuses.
    init(of file: borrowing InputFile, path: String) throws(FormatError) {
        var status = stat()
        guard fstat(file.descriptor, &status) == 0 else {
            throw FormatError(.cannotRead, path: path, SystemFailure.message(errno))
        }
        size = Int(status.st_size)
        seconds = status.st_mtim.tv_sec
        nanoseconds = status.st_mtim.tv_nsec
    }
}
