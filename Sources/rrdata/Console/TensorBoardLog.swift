import RRExchange
import RRFormats
import RRTraining

/// Tells TensorBoard what a training adds to its metrics.
final class TensorBoardLog {
    private let folder: String
    private var file: EventFile?

    /// Checks that the folder can be one of event files; the first step makes it.
    ///
    /// - Parameters:
    ///   - run: the run, which appears as a whole and takes no files of others.
    ///   - adds: whether the folder may have event files already.
    /// - Throws: `FormatError` with the code `cannotWrite` or `outputExists`.
    init(folder: String, run: OutputOptions, adds: Bool) throws(FormatError) {
        self.folder = folder
        if let kind = FileTree.kind(of: folder), kind != .folder {
            throw FormatError(
                .cannotWrite, path: folder, "this is \(kind.name): --tensorboard names a folder")
        }
        var outer = folder
        while outer != ".", outer != "/" {
            for run in [run.output, UnfinishedRun.path(of: run.output)] where PathPlan.areSame(outer, run) {
                throw FormatError(
                    .cannotWrite, path: folder,
                    "event files need a place outside the run's own folder, which appears as a whole")
            }
            outer = FileTree.folder(of: outer)
        }
        guard adds || !EventFile.areIn(folder) else {
            throw FormatError(
                .outputExists, path: folder,
                "the folder has event files, which would be taken for this run's: name another, or give --force"
            )
        }
    }

    /// Adds a step, and its epoch where it was the last.
    ///
    /// - Throws: `FormatError` with the code `cannotWrite`.
    func append(_ progress: TrainingProgress) throws(FormatError) {
        if file == nil { file = try EventFile(in: folder, from: progress.step - 1) }
        guard let file else { return }
        for step in progress.metrics.steps { try file.append(Self.scalars(step), step: step.step) }
        for epoch in progress.metrics.epochs { try file.append(Self.scalars(epoch), step: epoch.epoch) }
    }

    /// Brings all to the disk.
    ///
    /// - Throws: `FormatError` with the code `cannotWrite`.
    func finish() throws(FormatError) { try file?.sync() }

    private static func scalars(_ step: RunMetrics.Step) -> [(String, Double)] {
        named(
            "step",
            [
                ("epoch", Double(step.epoch)), ("loss", step.loss), ("cross_entropy", step.crossEntropy),
                ("penalty", step.penalty), ("lambda1", step.lambda1), ("learning_rate", step.learningRate),
                ("seconds", step.seconds), ("seconds_waiting", step.secondsWaiting),
            ])
    }

    private static func scalars(_ epoch: RunMetrics.Epoch) -> [(String, Double)] {
        let validation = epoch.validation
        return named(
            "epoch",
            [
                ("steps", epoch.stepCount.map(Double.init)), ("samples", epoch.sampleCount.map(Double.init)),
                ("loss", epoch.loss), ("cross_entropy", epoch.crossEntropy), ("penalty", epoch.penalty),
                ("seconds", epoch.seconds), ("seconds_waiting", epoch.secondsWaiting),
            ])
            + named(
                "validation",
                [
                    ("samples", validation.map { Double($0.sampleCount) }),
                    ("accuracy", validation?.accuracy), ("cross_entropy", validation?.crossEntropy),
                    ("worst_class", validation?.worstClassAccuracy),
                    ("worst_group", validation?.worstGroupAccuracy),
                ])
    }

    /// Those that have a value, by the names of `metrics.jsonl` after that of their group.
    private static func named(_ group: String, _ figures: [(String, Double?)]) -> [(String, Double)] {
        figures.compactMap { figure in figure.1.map { ("\(group)/\(figure.0)", $0) } }
    }
}
