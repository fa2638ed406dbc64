internal import RRFormats
internal import RRNetworks
internal import RRSchemas

/// Writes a run folder, which appears whole when the run is done.
final class RunWriter {
    private let path: String
    private let folder: UnfinishedFolder
    private let metrics: LineFile
    private let curves: LineFile

    private static let contents = UnfinishedFolder.Contents(
        areAt: { Run.isRun($0) || RunLeftover.hasSteps($0 + "/" + RunFile.metrics) },
        areLeftOver: { RunLeftover.isAll(in: $0) },
        canBeResumed: { UnfinishedRun.canBeResumed($0) },
        areBusy: "another process is training this run",
        areForeign:
            "the folder is no run, so \(option: .force) does not replace it: name another output, or remove it first",
        areUnfinished:
            "an unfinished run is there; \(option: .resumes) goes on with it, and \(option: .force) starts anew"
    )

    /// - Throws: as `UnfinishedFolder.init(_:path:force:)`.
    init(path: String, force: Bool) throws(FormatError) {
        self.path = path
        folder = try UnfinishedFolder(Self.contents, path: path, force: force)
        metrics = try LineFile(creating: folder.path + "/" + RunFile.metrics, shownAs: path)
        curves = try LineFile(creating: folder.path + "/" + RunFile.curves, shownAs: path)
        try curves.append(EpochRecord.header)
    }

    /// Goes on with an unfinished run.
    ///
    /// - Parameter position: says how much of `metrics.jsonl` and `metrics.csv` is kept.
    /// - Throws: as `UnfinishedFolder.init(_:resuming:force:)`, and where the metrics are shorter.
    init(resuming path: String, at position: RunPosition, force: Bool) throws(FormatError) {
        self.path = path
        folder = try UnfinishedFolder(Self.contents, resuming: path, force: force)
        metrics = try LineFile(continuing: folder.path + "/" + RunFile.metrics, after: position.metricsSize)
        curves = try LineFile(continuing: folder.path + "/" + RunFile.curves, after: position.curvesSize)
    }

    /// Writes `config.json` and `model.json`, which are on the disk before a checkpoint says that there is anything to
    /// resume.
    func write(configuration: JSONValue, model: ModelDescription) throws {
        try FileBytes.write(
            Array((configuration.serialized(pretty: true) + "\n").utf8), to: file(RunFile.configuration))
        try FileBytes.write(ModelFile.bytes(of: model), to: file(RunFile.model))
        try Durability.sync(folder.path, shownAs: path)
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
        position.metricsSize = try metrics.sync()
        position.curvesSize = try curves.sync()
        try Checkpoint(trainer: trainer, progress: position).write(to: file(RunFile.checkpoint))
        try folder.keep()
    }

    /// Makes the folder of an unfinished run, in which there is nothing so far, beside a run that is done.
    ///
    /// - Throws: as `UnfinishedFolder.init(_:path:force:)`.
    static func emptyFolder(for path: String) throws(FormatError) -> UnfinishedFolder {
        try UnfinishedFolder(contents, path: path, force: true)
    }

    /// Writes the weights and gives the folder its name, and `masks` theirs in the same step.
    ///
    /// - Parameters:
    ///   - position: where the run ended, to be kept with the optimiser's memory; nil to keep nothing to go on with.
    ///   - masks: an output that is whole, and is of this run only; nil for none.
    func finish<Scalar: NetworkScalar>(
        _ trainer: Trainer<Scalar>, at position: RunPosition?, with masks: AtomicOutput?
    ) throws(FormatError) {
        let sizes = (try metrics.flush(), try curves.flush())
        try metrics.close()
        try curves.close()
        try WeightsFile.write(trainer.parameters, to: file(RunFile.weights))
        if var position {
            (position.metricsSize, position.curvesSize) = sizes
            try RunContinuation.write(trainer.state, at: position, in: folder.path)
        }
        try RunChecksums.write(in: folder.path)
        try folder.commit(with: masks)
        AtomicOutput.discard(path + "/" + RunFile.checkpoint, beside: path)
    }

    private func file(_ name: String) -> String { folder.path + "/" + name }
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
    /// The folder of a run that is done, with what making it longer needs beside the weights.
    static let continuation = "continuation"
}
