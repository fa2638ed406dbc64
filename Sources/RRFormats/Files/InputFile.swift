internal import Glibc

/// An open file, closed when it goes out of scope.
package struct InputFile: ~Copyable {
    package let descriptor: Int32
    private let path: String

    /// Opens a regular file for reading.
    ///
    /// - Throws: `FormatError` with the code `notFound`, or `cannotRead` (also for a folder).
    package init(reading path: String) throws(FormatError) {
        guard !path.utf8.contains(0) else {
            throw FormatError(.notFound, path: path, "a path cannot hold a zero byte")
        }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let failure = errno
            if failure == ENOENT || failure == ENOTDIR {
                throw FormatError(.notFound, path: path, "there is no such file")
            }
            throw FormatError(.cannotRead, path: path, SystemFailure.message(failure))
        }
        self.descriptor = descriptor
        self.path = path
    }

    /// The size in bytes.
    ///
    /// - Throws: `FormatError` with the code `cannotRead` where this is a folder or the system refuses.
    package func size() throws(FormatError) -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw FormatError(.cannotRead, path: path, SystemFailure.message(errno))
        }
        guard status.st_mode & S_IFMT != S_IFDIR else {
            throw FormatError(.cannotRead, path: path, "this is a folder, not a file")
        }
        return Int(status.st_size)
    }

    deinit {
        close(descriptor)
    }
}

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

/// The operating system's words for its error numbers.
package enum SystemFailure {
    /// The message for an `errno`: `No space left on device`.
    package static func message(_ number: Int32) -> String {
        guard let text = strerror(number) else { return "error \(number)" }
        return String(cString: text)
    }
}
