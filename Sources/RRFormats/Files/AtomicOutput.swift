internal import CFileSystem
internal import Glibc
internal import RRTensor
internal import Synchronization

/// A file or folder that appears whole or not at all, and outlasts a power cut once it has appeared.
///
/// What is written goes to a hidden folder beside the target, from where `commit()` gives it its name. Without a commit
/// the folder is removed: in `deinit`, by `removeAllPending(thenExitWith:)` when the process is told to end, or, where it
/// is killed, by the next output beside it.
package final class AtomicOutput {
    /// The target: where the output is to appear.
    package let path: String
    /// Where to write until `commit()`: nothing, or for a folder an empty one.
    package private(set) var temporaryPath: String

    /// Whether something at `path` is replaced.
    package let force: Bool
    private let isDirectory: Bool
    /// Nil for a folder that stays where it is until it is committed.
    private var staging: StagingFolder?
    /// What is removed where the output is not committed; nil for nothing.
    private var pendingPath: String?
    /// How what stood at `path` gave way, once it has.
    private var replacement: Replacement?

    /// Makes the hidden folder.
    ///
    /// - Parameters:
    ///   - force: whether something at `path` is replaced.
    ///   - isDirectory: whether the output is a folder.
    /// - Throws: `FormatError` with the code `outputExists`, or `cannotWrite` where the folder around `path`
    ///   is missing or refuses, or where a file would replace a folder or a folder a file.
    package init(path: String, force: Bool, isDirectory: Bool = false) throws(FormatError) {
        self.path = try Self.target(path)
        self.force = force
        self.isDirectory = isDirectory
        try Self.checkTarget(self.path, force: force, isDirectory: isDirectory)
        let path = self.path
        do throws(StagingFailure) {
            let staging = try Self.pending.withLock { pending throws(StagingFailure) in
                let staging = try StagingFolder(beside: path)
                if isDirectory, mkdir(staging.outputPath, 0o777) != 0 {
                    let failure = errno
                    staging.remove()
                    throw StagingFailure(code: failure)
                }
                pending.insert(staging.path)
                return UncheckedSendable(staging)
            }.value
            temporaryPath = staging.outputPath
            (self.staging, pendingPath) = (staging, staging.path)
        } catch {
            throw Self.failure(error.code, path: path)
        }
    }

    /// Makes a folder under a name that it has until `commit()`, and under which it stays once it is kept.
    ///
    /// - Throws: `FormatError` with the code `outputExists`, also where another process has made the folder by now, or
    ///   `cannotWrite`.
    package init(makingFolder keptPath: String, path: String, force: Bool) throws(FormatError) {
        self.path = try Self.target(path)
        self.force = force
        isDirectory = true
        temporaryPath = keptPath
        try Self.checkTarget(self.path, force: force, isDirectory: true)
        let failure: Int32 = Self.pending.withLock { pending in
            guard mkdir(keptPath, 0o777) == 0 else { return errno }
            pending.insert(keptPath)
            return 0
        }
        guard failure != EEXIST else {
            throw FormatError(.outputExists, path: keptPath, "the folder has appeared meanwhile")
        }
        guard failure == 0 else {
            throw Self.failure(failure, path: path)
        }
        pendingPath = keptPath
    }

    /// Takes up a folder that `keep(as:)` left, to be finished.
    ///
    /// - Throws: `FormatError` with the code `outputExists`, or `cannotWrite` where a file stands at `path`.
    package init(resuming keptPath: String, path: String, force: Bool) throws(FormatError) {
        self.path = try Self.target(path)
        self.force = force
        isDirectory = true
        temporaryPath = keptPath
        try Self.checkTarget(self.path, force: force, isDirectory: true)
    }

    /// Gives an unfinished folder a name under which it stays, whatever becomes of the process, until `commit()`
    /// renames it. A folder of that name is replaced.
    ///
    /// - Throws: `FormatError` with the code `cannotWrite`.
    package func keep(as keptPath: String) throws(FormatError) {
        try Durability.sync(temporaryPath, shownAs: path)
        try Self.pending.withLock { pending throws(FormatError) in
            if temporaryPath != keptPath {
                replacement = try Replacement.place(
                    temporaryPath, at: keptPath, replaces: true, isDirectory: isDirectory)
                try Durability.sync(namesIn: FileTree.folder(of: keptPath), shownAs: path)
                removeReplaced()
            }
            if let pendingPath { pending.remove(pendingPath) }
            (temporaryPath, staging, pendingPath, replacement) = (keptPath, nil, nil, nil)
        }
        try Durability.sync(namesIn: FileTree.folder(of: keptPath), shownAs: path)
    }

    /// Gives what was written its name, in place of what has it, and then other outputs theirs; or none of them.
    ///
    /// All of them are on the disk before the first gets its name, and all names are before anything that they replace is
    /// deleted. A process that ends in between leaves the first few new and the others old, each whole: a dataset comes
    /// before its masks, which no other dataset takes.
    ///
    /// - Throws: `FormatError` with the code `outputExists` where a target appeared meanwhile and `force` was not given, or
    ///   `cannotWrite`; what was replaced is back then.
    package func commit(before others: AtomicOutput?...) throws(FormatError) {
        let outputs = [self] + others.compactMap(\.self)
        for output in outputs { try Durability.sync(output.temporaryPath, shownAs: output.path) }
        try Self.pending.withLock { pending throws(FormatError) in
            do throws(FormatError) {
                for output in outputs {
                    output.replacement = try Replacement.place(
                        output.temporaryPath, at: output.path, replaces: output.force,
                        isDirectory: output.isDirectory)
                }
                for folder in Set(outputs.map { FileTree.folder(of: $0.path) }) {
                    try Durability.sync(namesIn: folder, shownAs: path)
                }
            } catch {
                let stuck = outputs.reversed().filter { output in
                    defer { output.replacement = nil }
                    return output.replacement?.takeBack(output.path, to: output.temporaryPath) == false
                }.map(\.path).reversed()
                guard !stuck.isEmpty else { throw error }
                throw FormatError(
                    error.code, path: error.path,
                    error.message + "; what has its new name already could not be taken back: "
                        + stuck.joined(separator: ", "))
            }
            for output in outputs {
                output.removeReplaced()
                if let pendingPath = output.pendingPath { pending.remove(pendingPath) }
                (output.staging, output.pendingPath, output.replacement) = (nil, nil, nil)
            }
        }
    }

    /// Deletes what gave way, and the hidden folder.
    private func removeReplaced() {
        if case .putAside(let aside)? = replacement { aside.remove() }
        if let staging {
            staging.remove()
        } else if case .exchanged? = replacement {
            // It has the name of an unfinished folder now.
            Self.discard(temporaryPath, beside: path)
        }
    }

    /// Calls a body with the temporary path while it is sure that nobody removes what is there; never returns where
    /// that was done already, since the process is about to end.
    package func whilePending<Value>(
        _ body: (String) throws(FormatError) -> Value
    ) throws(FormatError) -> Value {
        let value = try Self.pending.withLock { _ throws(FormatError) in
            UncheckedSendable(try body(temporaryPath))
        }
        return value.value
    }

    /// Removes what every output of this process has written and not committed, and ends the process.
    ///
    /// It takes a lock and allocates: call it from a thread or a dispatch source that waits for the signal,
    /// never from an asynchronous signal handler.
    package static func removeAllPending(thenExitWith status: Int32) -> Never {
        pending.withLock { pending in
            for path in pending {
                // Other threads may still write into a folder. Under another name they find it no more, and what
                // was on its way there goes with the next attempt.
                let hidden = StagingFolder.randomPath(beside: path)
                let target = Glibc.rename(path, hidden) == 0 ? hidden : path
                for _ in 0..<100 where FileTree.kind(of: target) != nil { FileTree.remove(target) }
            }
            // Within the lock: who waits for it would make anew what was removed. Not `exit`, which would run while
            // the other threads still work.
            _exit(status)
        }
    }

    /// Whether there is anything that would be removed now.
    package static var hasPending: Bool { pending.withLock { !$0.isEmpty } }

    deinit {
        guard let pendingPath else { return }
        Self.pending.withLock { pending in
            FileTree.remove(pendingPath)
            pending.remove(pendingPath)
        }
    }

    /// A path without slashes at its end.
    private static func target(_ path: String) throws(FormatError) -> String {
        var target = Substring(path)
        while target.count > 1, target.last == "/" { target.removeLast() }
        guard !target.isEmpty, !target.utf8.contains(0) else {
            throw FormatError(.cannotWrite, path: path, "this is not a path that can be written")
        }
        return String(target)
    }

    /// What is to be removed of all outputs that are neither committed nor kept.
    private static let pending = Mutex<Set<String>>([])
}

/// Whether outputs outlast a power cut.
///
/// A file that a call has written is in the system's memory, and on the disk some seconds later; a cut before that leaves
/// it empty or missing. So every output is brought to the disk before it gets its name, and the name before anything older
/// is deleted.
public enum Durability {
    /// Whether outputs are on the disk when the call that makes them returns, in all of the process. It is so unless somebody
    /// turns it off, who can make the outputs anew and does not want to wait for the disk.
    public static var isEnsured: Bool {
        get { flag.load(ordering: .relaxed) }
        set { flag.store(newValue, ordering: .relaxed) }
    }

    private static let flag = Atomic(true)

    /// More files than that are brought to the disk with all else that the file system has to write.
    private static let mostSingleFiles = 64

    /// Brings a file to the disk, or a folder with all that is in it.
    ///
    /// - Parameter shownPath: what errors name; nil for `path`.
    /// - Throws: `FormatError` with the code `cannotWrite`.
    package static func sync(_ path: String, shownAs shownPath: String? = nil) throws(FormatError) {
        guard isEnsured else { return }
        let isFolder = FileTree.kind(of: path) == .folder
        let paths = isFolder ? FileTree.paths(in: path, atMost: mostSingleFiles) : [path]
        for file in paths ?? [path] {
            let descriptor = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
            guard descriptor >= 0 else { throw FormatError(writing: shownPath ?? path, failure: errno) }
            defer { close(descriptor) }
            try sync(descriptor, by: { paths == nil ? syncfs($0) : fsync($0) }, shownAs: shownPath ?? path)
        }
    }

    /// Brings the names in a folder to the disk, not what the files hold.
    ///
    /// - Throws: `FormatError` with the code `cannotWrite`.
    package static func sync(namesIn folder: String, shownAs shownPath: String) throws(FormatError) {
        guard isEnsured else { return }
        // The folder around an output may be named by a link, unlike the output itself.
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FormatError(writing: shownPath, failure: errno) }
        defer { close(descriptor) }
        try sync(descriptor, shownAs: shownPath)
    }

    /// Has the disk begin with a part of an open file, so that there is less to wait for at its end.
    package static func beginSync(_ descriptor: Int32, offset: Int, count: Int) {
        if isEnsured { sync_file_range(descriptor, offset, count, UInt32(SYNC_FILE_RANGE_WRITE)) }
    }

    /// Brings an open file to the disk.
    ///
    /// - Throws: `FormatError` with the code `cannotWrite`.
    package static func sync(
        _ descriptor: Int32, by call: (Int32) -> Int32 = { fsync($0) }, shownAs shownPath: String
    ) throws(FormatError) {
        guard isEnsured else { return }
        while call(descriptor) != 0 {
            let failure = errno
            switch failure {
            case EINTR: continue
            // Some file systems know nothing of it.
            case EINVAL, ENOSYS, EOPNOTSUPP, EROFS: return
            default:
                throw FormatError(
                    writing: shownPath, failure: failure, saying: "it could not be brought to the disk: ")
            }
        }
    }
}
