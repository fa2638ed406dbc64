internal import RRFormats
internal import RRNetworks
internal import RRSchemas

/// A run folder in the making: it appears whole, under its name, when the run is done.
///
/// Until the first checkpoint it is a hidden folder that goes with the process. From then on it is `RUN.unfinished`,
/// which stays whatever becomes of the process, and which resuming finds.
final class RunWriter {
    private let folder: AtomicOutput
    private let metrics: LineFile
    private let curves: LineFile
    private let unfinishedPath: String
    private let lock: FolderLock
    /// Of an unfinished run that `force` is about to replace: nobody resumes it any more.
    private let replaced: FolderLock?
    private var isKept: Bool

    private static let isBusy = "another process is training this run"

    /// - Throws: `FormatError` where the folder, or one of an unfinished run, is already there and `force` is false,
    ///   where it is no run and would be lost, where another process works on it, or where it cannot be made.
    init(path: String, force: Bool) throws(FormatError) {
        unfinishedPath = UnfinishedRun.path(of: path)
        for path in [path, unfinishedPath] where FileTree.kind(of: path) == .folder {
            guard !force || Run.isRun(path) else {
                throw FormatError(
                    .cannotWrite, path: path,
                    "the folder is no run, so \(option: .force) does not replace it: name another output, or remove it first"
                )
            }
        }
        let isUnfinished = FileTree.kind(of: unfinishedPath) != nil
        if !force, isUnfinished {
            throw FormatError(
                .outputExists, path: unfinishedPath,
                "an unfinished run is there; \(option: .resumes) goes on with it, and \(option: .force) starts anew"
            )
        }
        replaced = isUnfinished ? try FolderLock(unfinishedPath, orSay: Self.isBusy) : nil
        folder = try AtomicOutput(path: path, force: force, isDirectory: true)
        lock = try FolderLock(folder.temporaryPath, orSay: Self.isBusy)
        metrics = try LineFile(creating: folder.temporaryPath + "/" + RunFile.metrics, shownAs: path)
        curves = try LineFile(creating: folder.temporaryPath + "/" + RunFile.curves, shownAs: path)
        try curves.append(EpochRecord.header)
        isKept = false
    }

    /// Goes on with an unfinished run.
    ///
    /// - Parameter position: says how much of `metrics.jsonl` and `metrics.csv` is kept.
    /// - Throws: `FormatError` where another process works on the run, the output exists and `force` is false, or the
    ///   metrics are shorter.
    init(resuming path: String, at position: RunPosition, force: Bool) throws(FormatError) {
        unfinishedPath = UnfinishedRun.path(of: path)
        lock = try FolderLock(unfinishedPath, orSay: Self.isBusy)
        replaced = nil
        folder = try AtomicOutput(resuming: unfinishedPath, path: path, force: force)
        metrics = try LineFile(
            continuing: unfinishedPath + "/" + RunFile.metrics, after: position.metricsSize)
        curves = try LineFile(continuing: unfinishedPath + "/" + RunFile.curves, after: position.curvesSize)
        isKept = true
    }

    /// Writes `config.json` and `model.json`.
    func write(configuration: JSONValue, model: ModelDescription) throws {
        try FileBytes.write(
            Array((configuration.serialized(pretty: true) + "\n").utf8), to: file(RunFile.configuration))
        try FileBytes.write(ModelFile.bytes(of: model), to: file(RunFile.model))
    }

    /// Appends a line to `metrics.jsonl`.
    func append(_ line: JSONValue) throws(FormatError) { try metrics.append(line.serialized()) }

    /// Adds an epoch's row to `metrics.csv`, at once and whole.
    func append(_ row: String) throws(FormatError) {
        try curves.append(row)
        _ = try curves.flush()
    }

    /// Writes `best.safetensors`, in the place of an earlier one at once.
    func writeBest<Scalar: NetworkScalar>(_ parameters: Parameters<Scalar>) throws(FormatError) {
        let output = try AtomicOutput(path: file(RunFile.best), force: true)
        try WeightsFile.write(parameters, to: output.temporaryPath)
        try output.commit()
    }

    /// Writes a checkpoint that resuming finds from now on.
    func write<Scalar: NetworkScalar>(
        _ trainer: Trainer<Scalar>.State, at position: inout RunPosition
    ) throws(FormatError) {
        position.metricsSize = try metrics.flush()
        position.curvesSize = try curves.flush()
        try Checkpoint(trainer: trainer, progress: position).write(to: file(RunFile.checkpoint))
        guard !isKept else { return }
        try folder.keep(as: unfinishedPath)
        isKept = true
    }

    /// Writes the weights and gives the folder its name.
    func finish<Scalar: NetworkScalar>(_ parameters: Parameters<Scalar>) throws(FormatError) {
        try metrics.close()
        try curves.close()
        try WeightsFile.write(parameters, to: file(RunFile.weights))
        try folder.commit()
        FileTree.remove(folder.path + "/" + RunFile.checkpoint)
        // One that was there before, which has now been replaced.
        if !isKept { FileTree.remove(unfinishedPath) }
    }

    private func file(_ name: String) -> String { folder.temporaryPath + "/" + name }
}

/// The names of the files in a run folder.
enum RunFile {
    static let configuration = "config.json"
    static let model = "model.json"
    /// The weights after the last step.
    static let weights = "weights.safetensors"
    /// The weights after the epoch with the best validation figures.
    static let best = "best.safetensors"
    static let metrics = "metrics.jsonl"
    /// A row an epoch, for curves.
    static let curves = "metrics.csv"
    /// The folder that an unfinished run has, with all that resuming needs.
    static let checkpoint = "checkpoint"
}
