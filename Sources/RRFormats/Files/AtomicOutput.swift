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

    private enum Replacement {
        /// Nothing was there.
        case nothing
        /// It has changed places with the output.
        case exchanged
        /// It was put aside, since the file system cannot exchange names.
        case putAside(StagingFolder)
    }

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
                try place(at: keptPath, replaces: true)
                try Durability.sync(namesIn: FileTree.folder(of: keptPath), shownAs: path)
                staging?.remove()
            }
            if let pendingPath { pending.remove(pendingPath) }
            (temporaryPath, staging, pendingPath, replacement) = (keptPath, nil, nil, nil)
        }
        try Durability.sync(namesIn: FileTree.folder(of: keptPath), shownAs: path)
    }

    /// Gives what was written its name, in place of what has it.
    ///
    /// - Throws: `FormatError` with the code `outputExists` where the target appeared meanwhile and `force`
    ///   was not given, or `cannotWrite`.
    package func commit() throws(FormatError) { try Self.commit([self]) }

    /// Gives several outputs their names, in their order, or none of them.
    ///
    /// All of them are on the disk before the first gets its name, and all names are before anything that they replace is
    /// deleted. A process that ends in between leaves the first few new and the others old, each whole: a dataset comes
    /// before its masks, which no other dataset takes.
    ///
    /// - Throws: as `commit()`; what was replaced is back then.
    package static func commit(_ outputs: [AtomicOutput]) throws(FormatError) {
        for output in outputs { try Durability.sync(output.temporaryPath, shownAs: output.path) }
        try pending.withLock { pending throws(FormatError) in
            do throws(FormatError) {
                for output in outputs { try output.place(at: output.path, replaces: output.force) }
                for folder in Set(outputs.map { FileTree.folder(of: $0.path) }) {
                    try Durability.sync(namesIn: folder, shownAs: outputs[0].path)
                }
            } catch {
                let stuck = outputs.reversed().filter { !$0.takeBack() }.map(\.path).reversed()
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

    /// Moves what was written to a path.
    private func place(at path: String, replaces: Bool) throws(FormatError) {
        func failure() -> FormatError { FormatError(writing: path, failure: errno) }
        // A file never replaces a folder, nor a folder a file, though they would change places.
        try Self.checkTarget(path, force: replaces, isDirectory: isDirectory)
        if rr_rename_to_free_name(temporaryPath, path) == 0 {
            replacement = .nothing
            return
        }
        switch errno {
        case EEXIST where replaces:
            if rr_exchange_names(temporaryPath, path) == 0 {
                replacement = .exchanged
                return
            }
            guard Self.isUnknown(errno) else { throw failure() }
            fallthrough
        case _ where Self.isUnknown(errno):
            try placeStepwise(at: path, replaces: replaces)
        case EEXIST:
            // It has appeared this very moment.
            try Self.checkTarget(path, force: false)
            throw failure()
        default:
            throw failure()
        }
    }

    /// Moves what was written to a path where the file system cannot do so under a condition.
    private func placeStepwise(at path: String, replaces: Bool) throws(FormatError) {
        func failure() -> FormatError { FormatError(writing: path, failure: errno) }
        if FileTree.kind(of: path) != nil {
            let aside: StagingFolder
            do throws(StagingFailure) {
                aside = try StagingFolder(beside: path)
            } catch {
                throw Self.failure(error.code, path: path)
            }
            guard aside.putAside(path) else { throw failure() }
            guard Glibc.rename(temporaryPath, path) == 0 else {
                let failure = failure()
                aside.putBack(path)
                aside.remove()
                throw failure
            }
            replacement = .putAside(aside)
        } else {
            // Unlike rename(2), link(2) does not replace what is there; folders have no links.
            guard !isDirectory, link(temporaryPath, path) == 0 else {
                try Self.checkTarget(path, force: replaces, isDirectory: isDirectory)
                guard Glibc.rename(temporaryPath, path) == 0 else { throw failure() }
                replacement = .nothing
                return
            }
            unlink(temporaryPath)
            replacement = .nothing
        }
    }

    /// Undoes `place`; false where the disk does not take that, and the target is new.
    private func takeBack() -> Bool {
        let isBack =
            switch replacement {
            case .nothing?: Glibc.rename(path, temporaryPath) == 0
            case .exchanged?: rr_exchange_names(temporaryPath, path) == 0
            case .putAside?: Glibc.rename(path, temporaryPath) == 0
            case nil: true
            }
        if isBack, case .putAside(let aside)? = replacement {
            aside.putBack(path)
            aside.remove()
        }
        replacement = nil
        return isBack
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

    /// Whether the system or the file system does not know what it was asked for.
    private static func isUnknown(_ failure: Int32) -> Bool {
        [EINVAL, ENOSYS, EOPNOTSUPP, EPERM].contains(failure)
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

    deinit {
        guard let pendingPath else { return }
        Self.pending.withLock { pending in
            FileTree.remove(pendingPath)
            pending.remove(pendingPath)
        }
    }

    /// What is to be removed of all outputs that are neither committed nor kept.
    private static let pending = Mutex<Set<String>>([])
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
                throw failure(ENOENT, path: path)
            }
            return
        }
        try PathPlan.checkReplaceable(kind, at: path)
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

    private static func failure(_ number: Int32, path: String) -> FormatError {
        guard number == ENOENT else { return FormatError(writing: path, failure: number) }
        return FormatError(.cannotWrite, path: path, "the folder \(FileTree.folder(of: path)) does not exist")
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
}
