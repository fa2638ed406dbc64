internal import Glibc

/// Keeps other processes from a folder that this one works on, as long as the value lives, whatever name the folder gets
/// meanwhile. The lock goes with the process, however that ends.
package final class FolderLock {
    private let descriptor: Int32

    /// - Parameter message: what an error says where another process has the lock.
    /// - Throws: `FormatError` with the code `cannotWrite`.
    package init(_ path: String, orSay message: String) throws(FormatError) {
        descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw FormatError(.cannotWrite, path: path, SystemFailure.message(errno))
        }
        // Some file systems have no locks; there the user has to take care.
        guard flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK else { return }
        throw FormatError(.cannotWrite, path: path, message)
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }
}
