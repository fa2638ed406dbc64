internal import Glibc
internal import RRTensor
internal import Synchronization

/// A file or folder that appears whole or not at all.
///
/// What is written goes to a hidden sibling of the target, in the same folder, which `commit()` renames.
/// Without a commit the sibling is removed: in `deinit`, or by `removeAllPending(thenExitWith:)` when the
/// process is told to end.
package final class AtomicOutput {
    /// The target: where the output is to appear.
    package let path: String
    /// Where to write until `commit()`: an empty file or folder that is already there.
    package private(set) var temporaryPath: String

    /// Whether something at `path` is replaced.
    package let force: Bool
    private let isDirectory: Bool
    private var isPending = true

    /// Creates the hidden sibling.
    ///
    /// - Parameters:
    ///   - force: whether something at `path` is replaced.
    ///   - isDirectory: whether the output is a folder.
    /// - Throws: `FormatError` with the code `outputExists`, or `cannotWrite` where the folder around `path`
    ///   is missing or refuses, or where a file would replace a folder or a folder a file.
    package init(path: String, force: Bool, isDirectory: Bool = false) throws(FormatError) {
        var target = Substring(path)
        while target.count > 1, target.last == "/" { target.removeLast() }
        guard !target.isEmpty, !target.utf8.contains(0) else {
            throw FormatError(.cannotWrite, path: path, "this is not a path that can be written")
        }
        self.path = String(target)
        self.force = force
        self.isDirectory = isDirectory
        self.temporaryPath = Self.hiddenSibling(of: self.path)
        try Self.checkTarget(self.path, force: force, isDirectory: isDirectory)

        let (path, temporaryPath) = (self.path, temporaryPath)
        let failure: Int32 = Self.pending.withLock { pending in
            if isDirectory {
                guard mkdir(temporaryPath, 0o777) == 0 else { return errno }
            } else {
                let descriptor = open(temporaryPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
                guard descriptor >= 0 else { return errno }
                close(descriptor)
            }
            pending.insert(temporaryPath)
            return 0
        }
        guard failure == 0 else {
            isPending = false
            throw FormatError(.cannotWrite, path: path, Self.explanation(of: failure, path: path))
        }
    }

    /// Takes up a folder that `keep(as:)` left, to be finished.
    ///
    /// - Throws: `FormatError` with the code `outputExists`, or `cannotWrite` where a file stands at `path`.
    package init(resuming keptPath: String, path: String, force: Bool) throws(FormatError) {
        try Self.checkTarget(path, force: force, isDirectory: true)
        self.path = path
        self.force = force
        isDirectory = true
        temporaryPath = keptPath
        isPending = false
    }

    /// Gives an unfinished folder a name under which it stays, whatever becomes of the process, until `commit()`
    /// renames it. A folder of that name is replaced.
    ///
    /// - Throws: `FormatError` with the code `cannotWrite`.
    package func keep(as keptPath: String) throws(FormatError) {
        try Self.pending.withLock { pending throws(FormatError) in
            try replaceFolder(at: keptPath)
            pending.remove(temporaryPath)
            temporaryPath = keptPath
            isPending = false
        }
    }

    /// Renames what was written to the target.
    ///
    /// A folder that is replaced is first moved away and deleted last, so that at every moment one of the
    /// two exists whole.
    ///
    /// - Throws: `FormatError` with the code `outputExists` where the target appeared meanwhile and `force`
    ///   was not given, or `cannotWrite`.
    package func commit() throws(FormatError) {
        try Self.pending.withLock { pending throws(FormatError) in
            switch (isDirectory, force) {
            case (true, true): try replaceFolder(at: path)
            case (false, false):
                // Unlike rename(2), link(2) does not replace what is there.
                if link(temporaryPath, path) == 0 {
                    unlink(temporaryPath)
                    break
                }
                guard errno == EPERM || errno == EOPNOTSUPP || errno == EEXIST else {
                    throw FormatError(.cannotWrite, path: path, SystemFailure.message(errno))
                }
                fallthrough
            default:
                // A folder is never renamed over a folder that holds something.
                try Self.checkTarget(path, force: force, isDirectory: isDirectory)
                guard rename(temporaryPath, path) == 0 else {
                    throw FormatError(.cannotWrite, path: path, SystemFailure.message(errno))
                }
            }
            pending.remove(temporaryPath)
            isPending = false
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
            for temporaryPath in pending {
                // Other threads may still write into a folder. Under another name they find it no more, and what
                // was on its way there goes with the next attempt.
                let renamed = Self.hiddenSibling(of: temporaryPath)
                let target = rename(temporaryPath, renamed) == 0 ? renamed : temporaryPath
                for _ in 0..<100 where FileTree.kind(of: target) != nil { FileTree.remove(target) }
            }
            // Within the lock: who waits for it would make anew what was removed. Not `exit`, which would run while
            // the other threads still work.
            _exit(status)
        }
    }

    deinit {
        guard isPending else { return }
        Self.pending.withLock { pending in
            FileTree.remove(temporaryPath)
            pending.remove(temporaryPath)
        }
    }

    /// The temporary paths of all outputs that are neither committed nor removed.
    private static let pending = Mutex<Set<String>>([])
    private static let serial = Atomic<Int>(0)
}

extension AtomicOutput {
    /// Checks that an output could be put at a path, before any work is done for it.
    ///
    /// - Throws: `FormatError` with the code `outputExists`, or `cannotWrite` where the folder around it is missing, a
    ///   file would replace a folder or a folder a file.
    package static func checkTarget(
        _ path: String, force: Bool, isDirectory: Bool = false
    ) throws(FormatError) {
        guard let kind = FileTree.kind(of: path) else {
            guard FileTree.kind(of: FileTree.folder(of: path)) != nil else {
                throw FormatError(.cannotWrite, path: path, explanation(of: ENOENT, path: path))
            }
            return
        }
        guard force else {
            throw FormatError(.outputExists, path: path, "the output exists; \(option: .force) replaces it")
        }
        if kind == .folder && !isDirectory {
            throw FormatError(.cannotWrite, path: path, "this is a folder; a file does not replace it")
        }
        if kind == .file && isDirectory {
            throw FormatError(.cannotWrite, path: path, "this is a file; a folder does not replace it")
        }
    }

    private static func explanation(of failure: Int32, path: String) -> String {
        if failure == ENOENT {
            return "the folder \(FileTree.folder(of: path)) does not exist"
        }
        return SystemFailure.message(failure)
    }

    /// An unused hidden name beside a path, in the same folder and so on the same file system.
    private static func hiddenSibling(of path: String) -> String {
        let start = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
        let number = serial.add(1, ordering: .relaxed).newValue
        // A name has at most 255 bytes; four bytes a character leave room for the rest.
        return "\(path[..<start]).\(path[start...].prefix(48)).\(getpid())-\(number).partial"
    }

    private func replaceFolder(at path: String) throws(FormatError) {
        let old = Self.hiddenSibling(of: path)
        let isReplaced = rename(path, old) == 0
        guard isReplaced || errno == ENOENT else {
            throw FormatError(.cannotWrite, path: path, SystemFailure.message(errno))
        }
        guard rename(temporaryPath, path) == 0 else {
            let failure = errno
            if isReplaced { _ = rename(old, path) }
            throw FormatError(.cannotWrite, path: path, SystemFailure.message(failure))
        }
        if isReplaced { FileTree.remove(old) }
    }
}
