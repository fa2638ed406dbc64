internal import RRFormats

/// A folder in the making: it appears whole, under its name, when it is done.
///
/// Meanwhile it is `NAME.unfinished`, which one process at a time works on. Until it is kept it goes with the process; from
/// then on it stays whatever becomes of the process, and resuming finds it. Where there is such a folder already that is
/// to be replaced, a hidden one takes its place only then.
final class UnfinishedFolder {
    /// What such a folder holds, and what to say where one is in the way.
    struct Contents: Sendable {
        let areAt: @Sendable (String) -> Bool
        /// Whether a folder holds nothing but what comes before there is anything to go on with, and is surely ours.
        let areLeftOver: @Sendable (String) -> Bool
        /// Whether there is anything in an unfinished folder to go on with.
        let canBeResumed: @Sendable (String) -> Bool
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
        AtomicOutput.removeLeftovers(in: FileTree.folder(of: unfinishedPath))
        try Self.removeLeftover(contents, at: unfinishedPath)
        for path in [path, unfinishedPath] where FileTree.kind(of: path) == .folder {
            // Of an unfinished one that is no such thing neither resuming nor replacing it can be the remedy.
            let isOurs = contents.areAt(path) || path == unfinishedPath && contents.canBeResumed(path)
            guard isOurs || !force && path != unfinishedPath else {
                throw FormatError(.cannotWrite, path: path, contents.areForeign)
            }
        }
        guard FileTree.kind(of: unfinishedPath) != nil else {
            replaced = nil
            output = try AtomicOutput(makingFolder: unfinishedPath, path: path, force: force)
            lock = try FolderLock(unfinishedPath, orSay: contents.areBusy)
            isKept = false
            return
        }
        guard force else {
            // Of one that another process works on it is that which matters.
            _ = try FolderLock(unfinishedPath, orSay: contents.areBusy)
            throw FormatError(.outputExists, path: unfinishedPath, contents.areUnfinished)
        }
        replaced = try FolderLock(unfinishedPath, orSay: contents.areBusy)
        output = try AtomicOutput(path: path, force: force, isDirectory: true)
        lock = try FolderLock(output.temporaryPath, orSay: contents.areBusy)
        isKept = false
    }

    /// Removes what a killed process left before there was anything to go on with.
    private static func removeLeftover(_ contents: Contents, at path: String) throws(FormatError) {
        guard FileTree.kind(of: path) == .folder, !FileTree.isLink(path), !contents.canBeResumed(path),
            contents.areLeftOver(path)
        else { return }
        let lock = try FolderLock(path, orSay: contents.areBusy)
        withExtendedLifetime(lock) { AtomicOutput.discard(path, beside: path) }
    }

    /// Takes up an unfinished folder, or one that has its name already and was to be tidied up.
    ///
    /// - Throws: `FormatError` where another process works on it, or the output exists and `force` is false.
    init(_ contents: Contents, resuming path: String, force: Bool) throws(FormatError) {
        unfinishedPath = UnfinishedRun.path(of: path)
        try Self.removeLeftover(contents, at: unfinishedPath)
        if FileTree.kind(of: unfinishedPath) == nil, contents.canBeResumed(path) {
            try FileTree.move(path, to: unfinishedPath)
        }
        lock = try FolderLock(unfinishedPath, orSay: contents.areBusy)
        AtomicOutput.removeLeftovers(in: FileTree.folder(of: unfinishedPath))
        AtomicOutput.removeLeftovers(in: unfinishedPath)
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

    /// Gives the folder its name, and another output its own: both, or neither.
    ///
    /// - Throws: `FormatError` with the code `outputExists` or `cannotWrite`.
    func commit(with other: AtomicOutput? = nil) throws(FormatError) {
        // What could not be removed when a file in it was replaced would be a part of it from now on.
        AtomicOutput.removeLeftovers(below: path)
        try output.commit(before: other)
        // One that was there before, which has now been replaced.
        if replaced != nil, !isKept { AtomicOutput.discard(unfinishedPath, beside: unfinishedPath) }
    }
}
