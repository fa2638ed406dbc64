internal import Glibc
internal import Synchronization

/// The hidden folder beside an output in which it is made: `.NAME.0123456789abcdef.partial`.
///
/// It is locked as long as the process lives that made it. One that nobody has locked was left by a process that was
/// killed, and is removed when the next output is made beside it. In it are `output`, which is to get the name, and, while
/// something older gives way to it, `older/NAME`.
final class StagingFolder: Sendable {
    let path: String
    private let descriptor: Int32

    /// Where the output is made.
    var outputPath: String { path + "/output" }
    /// Where what is replaced stands meanwhile, under its own name.
    private var olderFolder: String { path + "/older" }

    /// The folders in which this process has looked for what others left.
    private static let swept = Mutex<Set<String>>([])
    private static let suffix = ".partial"
    private static let digitCount = 16

    /// Makes a folder that no other process has, and removes those beside it that nobody has any more.
    ///
    /// - Throws: the system's error.
    init(beside path: String) throws(StagingFailure) {
        Self.sweepOnce(FileTree.folder(of: path))
        while true {
            let candidate = Self.randomPath(beside: path)
            guard mkdir(candidate, 0o700) == 0 else {
                guard errno == EEXIST else { throw StagingFailure(code: errno) }
                continue
            }
            let descriptor = open(candidate, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
            guard descriptor >= 0 else {
                // Another process that sweeps has taken it for one that was left.
                guard errno == ENOENT else {
                    let failure = errno
                    rmdir(candidate)
                    throw StagingFailure(code: failure)
                }
                continue
            }
            // Where there are no locks nobody sweeps either.
            let isSwept = flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK
            guard !isSwept, FileTree.identity(of: candidate) != nil else {
                close(descriptor)
                continue
            }
            self.path = candidate
            self.descriptor = descriptor
            return
        }
    }

    deinit { close(descriptor) }

    /// A hidden name beside a path, in the same folder and so on the same file system.
    static func randomPath(beside path: String) -> String {
        let start = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        let number = String(repeating: "0", count: digitCount - digits.count) + digits
        // A name has at most 255 bytes; four bytes a character leave room for the rest.
        return "\(path[..<start]).\(path[start...].prefix(48)).\(number)\(suffix)"
    }

    /// Moves what stands at a path into the folder.
    ///
    /// - Returns: whether it worked; else `errno` says why not.
    func putAside(_ path: String) -> Bool {
        mkdir(olderFolder, 0o700)
        return rename(path, olderFolder + "/" + Self.name(of: path)) == 0
    }

    /// Moves back what `putAside` moved.
    func putBack(_ path: String) {
        _ = rename(olderFolder + "/" + Self.name(of: path), path)
    }

    func remove() { FileTree.remove(path) }

    private static func name(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
    }

    // What killed processes left.

    /// Removes what killed processes left in a folder, the first time that this process is to write there.
    static func sweepOnce(_ folder: String) {
        let key = FileTree.resolved(folder) ?? folder
        guard swept.withLock({ $0.insert(key).inserted }) else { return }
        let names = FileTree.names(in: folder) ?? []
        for name in names where isStaging(name) { sweep(folder + "/" + name, in: folder) }
        for name in names { OlderLeftover(name, in: folder)?.removeIfLeft(others: names) }
    }

    /// Whether a name is that of such a folder.
    static func isStaging(_ name: String) -> Bool {
        guard name.hasPrefix("."), name.hasSuffix(suffix) else { return false }
        let number = name.dropLast(suffix.count).suffix(digitCount + 1)
        return number.first == "." && number.count == digitCount + 1
            && number.dropFirst().allSatisfy { $0.isHexDigit && !$0.isUppercase }
    }

    /// Removes such a folder unless a process has it; what it was to replace gets its name back where nothing has it.
    static func sweep(_ path: String, in folder: String) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { return }
        // What was to be replaced, and has lost its name to nothing, gets it back.
        let older = path + "/older"
        guard FileTree.kind(of: older) == nil || FileTree.names(in: older) != nil else { return }
        for name in FileTree.names(in: older) ?? [] {
            let target = folder + "/" + name
            if FileTree.kind(of: target) == nil { _ = rename(older + "/" + name, target) }
        }
        FileTree.remove(path)
    }
}

/// The system's reason why a staging folder cannot be made.
struct StagingFailure: Error {
    let code: Int32
}
