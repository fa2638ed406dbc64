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
            throw FormatError(writing: path, failure: errno)
        }
        // Some file systems have no locks; there the user has to take care.
        guard flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK else { return }
        let holder = Self.holder(of: descriptor).map { " (process \($0))" } ?? ""
        throw FormatError(.cannotWrite, path: path, message + holder)
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// The process that has the lock of an open file, as Linux lists it; nil where it does not say.
    private static func holder(of descriptor: Int32) -> Int? {
        var status = stat()
        guard fstat(descriptor, &status) == 0, let bytes = try? FileBytes.read("/proc/locks", prefix: 1 << 20)
        else { return nil }
        let file = ":\(status.st_ino)"
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            // 1: FLOCK  ADVISORY  WRITE 4711 08:01:262153 0 EOF
            let fields = line.split(separator: " ")
            guard fields.count > 5, fields[1] == "FLOCK", fields[5].hasSuffix(file) else { continue }
            return Int(fields[4]).flatMap { $0 > 0 ? $0 : nil }
        }
        return nil
    }
}
