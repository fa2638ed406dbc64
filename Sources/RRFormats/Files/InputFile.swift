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
