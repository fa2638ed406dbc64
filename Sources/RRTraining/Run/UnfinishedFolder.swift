internal import RRFormats

/// A folder in the making: it appears whole, under its name, when it is done.
///
/// Until it is kept it is a hidden folder that goes with the process. From then on it is `NAME.unfinished`, which stays
/// whatever becomes of the process, and which resuming finds.
final class UnfinishedFolder {
    /// What such a folder holds, and what to say where one is in the way.
    struct Contents: Sendable {
        let areAt: @Sendable (String) -> Bool
        let areBusy: String
        /// Of a folder with other contents, which is not replaced.
        let areForeign: Message
        /// Of an unfinished folder, where a new one is to begin.
        let areUnfinished: Message
    }

    private let output: AtomicOutput
    private let unfinishedPath: String
    private let lock: FolderLock
    /// Of an unfinished folder that is about to be replaced: nobody resumes it any more.
    private let replaced: FolderLock?
    private var isKept: Bool

    /// Where its files are written.
    var path: String { output.temporaryPath }

    /// - Throws: `FormatError` where the folder, or an unfinished one, is already there and `force` is false, where it
    ///   has other contents that would be lost, where another process works on it, or where it cannot be made.
    init(_ contents: Contents, path: String, force: Bool) throws(FormatError) {
        unfinishedPath = UnfinishedRun.path(of: path)
        for path in [path, unfinishedPath] where FileTree.kind(of: path) == .folder {
            guard !force || contents.areAt(path) else {
                throw FormatError(.cannotWrite, path: path, contents.areForeign)
            }
        }
        let isUnfinished = FileTree.kind(of: unfinishedPath) != nil
        if !force, isUnfinished {
            throw FormatError(.outputExists, path: unfinishedPath, contents.areUnfinished)
        }
        replaced = isUnfinished ? try FolderLock(unfinishedPath, orSay: contents.areBusy) : nil
        output = try AtomicOutput(path: path, force: force, isDirectory: true)
        lock = try FolderLock(output.temporaryPath, orSay: contents.areBusy)
        isKept = false
    }

    /// Takes up an unfinished folder.
    ///
    /// - Throws: `FormatError` where another process works on it, or the output exists and `force` is false.
    init(_ contents: Contents, resuming path: String, force: Bool) throws(FormatError) {
        unfinishedPath = UnfinishedRun.path(of: path)
        lock = try FolderLock(unfinishedPath, orSay: contents.areBusy)
        replaced = nil
        output = try AtomicOutput(resuming: unfinishedPath, path: path, force: force)
        isKept = true
    }

    /// Leaves the folder where resuming finds it, whatever becomes of the process from now on.
    func keep() throws(FormatError) {
        guard !isKept else { return }
        try output.keep(as: unfinishedPath)
        isKept = true
    }

    /// Gives the folder its name.
    ///
    /// - Throws: `FormatError` with the code `outputExists` or `cannotWrite`.
    func commit() throws(FormatError) {
        try output.commit()
        // One that was there before, which has now been replaced.
        if !isKept { FileTree.remove(unfinishedPath) }
    }
}
