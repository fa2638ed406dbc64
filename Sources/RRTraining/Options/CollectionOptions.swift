public import RRExplanation
internal import RRFormats

/// Masks to gather from the input gradients that training meets on its way.
public struct CollectionOptions: Equatable, Sendable {
    public var selection: MaskSelection
    /// The mask set that is written.
    public var output: String

    public init(selection: MaskSelection, output: String) {
        self.selection = selection
        self.output = output
    }

    /// Checks that the masks can be written at the end, before any step is taken for them.
    ///
    /// - Parameter replaces: whether a file that is there is replaced.
    /// - Throws: `FormatError` with the code `outputExists` or `cannotWrite`.
    func check(against storage: RunStorage, replaces: Bool) throws(FormatError) {
        // The run's folder may be there yet, to be replaced, or not; in neither case does it take the masks.
        for run in [storage.output, UnfinishedRun.path(of: storage.output)] {
            let folder = FileTree.folder(of: output)
            var isInside = output == run || folder == run
            if let folder = FileTree.resolved(folder), let run = FileTree.resolved(run) {
                isInside = isInside || FileTree.isInside(folder, run)
            }
            guard !isInside else {
                throw FormatError(
                    .cannotWrite, path: output,
                    "the masks of \(option: .collection) need a place outside the run's own folder")
            }
        }
        try AtomicOutput.checkTarget(output, force: replaces)
    }
}
