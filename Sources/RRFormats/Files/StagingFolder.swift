internal import CFileSystem
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
    let outputPath: String
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
            outputPath = candidate + "/output"
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

/// How what stood at an output's name gave way to it.
enum Replacement {
    /// Nothing was there.
    case nothing
    /// It has changed places with the output.
    case exchanged
    /// It was put aside, since the file system cannot exchange names.
    case putAside(StagingFolder)

    /// Moves what was written to its name.
    ///
    /// - Parameters:
    ///   - temporaryPath: where it was written, on the same file system.
    ///   - replaces: whether something at `path` gives way.
    /// - Throws: `FormatError` with the code `outputExists` or `cannotWrite`.
    static func place(
        _ temporaryPath: String, at path: String, replaces: Bool, isDirectory: Bool
    ) throws(FormatError) -> Replacement {
        func failure() -> FormatError { FormatError(writing: path, failure: errno) }
        // A file never replaces a folder, nor a folder a file, though they would change places.
        try AtomicOutput.checkTarget(path, force: replaces, isDirectory: isDirectory)
        let (here, unlessTaken) = (AT_FDCWD, UInt32(RENAME_NOREPLACE))
        guard renameat2(here, temporaryPath, here, path, unlessTaken) != 0 else { return .nothing }
        switch errno {
        case EEXIST where replaces:
            guard !exchangeNames(temporaryPath, path) else { return .exchanged }
            guard isUnknown(errno) else { throw failure() }
            fallthrough
        case _ where isUnknown(errno):
            return try placeStepwise(temporaryPath, at: path, replaces: replaces, isDirectory: isDirectory)
        case EEXIST:
            // It has appeared this very moment.
            try AtomicOutput.checkTarget(path, force: false)
            throw failure()
        default:
            throw failure()
        }
    }

    /// Moves what was written to a path where the file system cannot do so under a condition.
    private static func placeStepwise(
        _ temporaryPath: String, at path: String, replaces: Bool, isDirectory: Bool
    ) throws(FormatError) -> Replacement {
        func failure() -> FormatError { FormatError(writing: path, failure: errno) }
        guard FileTree.kind(of: path) != nil else {
            // Unlike rename(2), link(2) does not replace what is there; folders have no links.
            if !isDirectory, link(temporaryPath, path) == 0 {
                unlink(temporaryPath)
                return .nothing
            }
            try AtomicOutput.checkTarget(path, force: replaces, isDirectory: isDirectory)
            guard rename(temporaryPath, path) == 0 else { throw failure() }
            return .nothing
        }
        let aside: StagingFolder
        do throws(StagingFailure) {
            aside = try StagingFolder(beside: path)
        } catch {
            throw AtomicOutput.failure(error.code, path: path)
        }
        guard aside.putAside(path) else { throw failure() }
        guard rename(temporaryPath, path) == 0 else {
            let failure = failure()
            aside.putBack(path)
            aside.remove()
            throw failure
        }
        return .putAside(aside)
    }

    /// Undoes `place`; false where the disk does not take that, and the target is new.
    func takeBack(_ path: String, to temporaryPath: String) -> Bool {
        let isBack =
            if case .exchanged = self {
                Self.exchangeNames(temporaryPath, path)
            } else {
                rename(path, temporaryPath) == 0
            }
        if isBack, case .putAside(let aside) = self {
            aside.putBack(path)
            aside.remove()
        }
        return isBack
    }

    /// Lets two names change places at one moment; false where `errno` says why they have not.
    private static func exchangeNames(_ one: String, _ other: String) -> Bool {
        renameat2(AT_FDCWD, one, AT_FDCWD, other, UInt32(RENAME_EXCHANGE)) == 0
    }

    /// Whether the system or the file system does not know what it was asked for.
    private static func isUnknown(_ failure: Int32) -> Bool {
        [EINVAL, ENOSYS, EOPNOTSUPP, EPERM].contains(failure)
    }
}

// What killed processes left.
extension AtomicOutput {
    /// Deletes a file or folder so that it is there whole or gone, whenever the process ends: it loses its name first, to a
    /// hidden one beside an output, and what is left under that goes as what killed processes leave.
    package static func discard(_ path: String, beside output: String) {
        guard FileTree.kind(of: path) != nil else { return }
        let hidden = StagingFolder.randomPath(beside: output)
        FileTree.remove(Glibc.rename(path, hidden) == 0 ? hidden : path)
    }

    /// Removes what killed processes left of outputs in a folder, as the first output there does.
    package static func removeLeftovers(in folder: String) { StagingFolder.sweepOnce(folder) }

    /// Removes what is left of outputs in a folder and the folders below it, which nobody else writes to any more.
    package static func removeLeftovers(below folder: String) {
        for name in FileTree.names(in: folder) ?? [] {
            let path = folder + "/" + name
            guard FileTree.kind(of: path) == .folder, !FileTree.isLink(path) else { continue }
            if StagingFolder.isStaging(name) {
                StagingFolder.sweep(path, in: folder)
            } else {
                removeLeftovers(below: path)
            }
        }
    }

    /// Whether a name is that of the hidden folder in which an output is made.
    package static func isHidden(_ name: String) -> Bool { StagingFolder.isStaging(name) }
}
