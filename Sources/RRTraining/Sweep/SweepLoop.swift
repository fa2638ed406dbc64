public import RRDatasets
internal import RRExplanation
public import RRFormats
internal import RRSchemas
internal import RRStreaming

/// Trainings that differ in what keeps the model from the masks and in its weight, judged on samples that were held out.
public struct SweepLoop {
    public let dataset: Dataset
    public let masks: MaskSet
    public let options: SweepOptions
    /// What those who sweep should know of the data before they wait for the result.
    public let notes: [Message]

    /// The split of the samples that are trained on.
    private let split: String

    /// The models of larger weights of a way are left out after so many that tell nothing apart.
    private static let hopelessCount = 2

    /// - Throws: `TrainingError` where options contradict each other, the dataset lacks labels or images of the model's
    ///   shape, or no held-out sample has a mask; `DatasetError` where the split is unknown.
    public init(dataset: Dataset, masks: MaskSet, options: SweepOptions) throws {
        try options.check()
        split = options.training.stream.split ?? dataset.split(preferring: "train")
        let view = Dataset(
            dataset, holdingOut: options.heldOutShare, of: try dataset.indices(inSplit: split),
            seed: options.training.stream.seed)
        self.dataset = view
        self.masks = masks
        var checked = options
        checked.training.stream.split = Dataset.keptSplit
        self.options = checked
        let heldOut = try view.indices(inSplit: Dataset.heldOutSplit)
        guard heldOut.contains(where: masks.isAnnotated) else {
            throw TrainingError(
                .nothingAnnotated, .option(.masks),
                "mark none of the \(heldOut.count) samples that are held out to judge by, of which what lies inside the "
                    + "masks is swapped: give more masks, or a larger \(option: .heldOutShare)")
        }
        var notes: [Message] = []
        for way in [.plain] + options.ways {
            let trial = SweepOptions.Trial(
                way: way, lambda1: way == .plain ? 0 : options.weights[0], seed: options.seeds[0])
            for note in try TrainingLoop(dataset: view, masks: masks, options: checked.training(trial)).notes
            where !notes.contains(note) { notes.append(note) }
        }
        self.notes = notes
    }

    /// The number of runs that are done in the unfinished folder for an output; nil where there is none.
    public static func unfinishedRunCount(of output: String) -> Int? {
        SeriesFolder<SweepRun>.entryCount(of: UnfinishedRun.path(of: output))
    }

    /// The number of runs of a sweep that is done; nil where there is none at a path.
    public static func doneRunCount(of output: String) -> Int? {
        SeriesFolder<SweepRun>.entryCount(of: output)
    }

    /// Trains and judges, and writes the folder with the runs and `sweep.json`.
    ///
    /// - Parameters:
    ///   - storage: where the folder is written, and how often a training can be resumed.
    ///   - progress: is told of every step; what it throws ends the sweep.
    /// - Returns: the runs, those that were done before resuming included.
    /// - Throws: as `TrainingLoop.run(_:progress:)`, but for trainings that diverge, which the sweep notes.
    public func run(
        _ storage: RunStorage, progress: (SweepProgress) throws -> Void
    ) throws -> [SweepRun] {
        try storage.check()
        let record = try record()
        if let runs = try SeriesFolder<SweepRun>.doneEntries(storage, record: record) { return runs }
        var folder = try SeriesFolder<SweepRun>(storage, record: record)
        let trials = options.trials
        do {
            while folder.entries.count < trials.count {
                let run = try self.run(trials[folder.entries.count], in: folder, storage, progress)
                try folder.append(run)
                try progress(.done(run, of: trials.count))
            }
        } catch {
            folder.removeIfUntouched()
            throw error
        }
        try folder.commit()
        return folder.entries
    }

    private func run(
        _ trial: SweepOptions.Trial, in folder: SeriesFolder<SweepRun>, _ storage: RunStorage,
        _ progress: (SweepProgress) throws -> Void
    ) throws -> SweepRun {
        let number = folder.entries.count + 1
        func result(_ outcome: SweepRun.Outcome, _ figures: SweepRun.Figures? = nil) -> SweepRun {
            SweepRun(
                number: number, way: trial.way, lambda1: trial.lambda1, seed: trial.seed, outcome: outcome,
                figures: figures)
        }
        let before = folder.entries.filter { $0.way == trial.way && $0.seed == trial.seed }
        let hopeless = before.suffix(Self.hopelessCount)
        if hopeless.count == Self.hopelessCount, hopeless.allSatisfy({ $0.outcome != .trained }) {
            return result(.leftOut)
        }
        try folder.makeFolder(of: number)
        let path = folder.run(of: number)
        do {
            if !Run.isRun(path) || UnfinishedRun.canBeResumed(path) {
                var runStorage = RunStorage(
                    output: path, resumes: true, checkpointSeconds: storage.checkpointSeconds)
                runStorage.keepsContinuation = false
                _ = try TrainingLoop(dataset: dataset, masks: masks, options: options.training(trial)).run(
                    runStorage
                ) { try progress(.training(number: number, trial.way, lambda1: trial.lambda1, $0)) }
            }
        } catch let error as TrainingError where error.code == .diverged {
            // What is left of it would be gone on with, to the same end.
            FileTree.remove(folder.folder(of: number))
            return result(.diverged)
        }
        UnfinishedRun.removeSpentCheckpoint(of: path)
        let figures = try judge(Run(path: path))
        return result(try isConstant(figures) ? .constant : .trained, figures)
    }

    /// Measures a model on the samples that were held out.
    private func judge(_ run: Run) throws -> SweepRun.Figures {
        var measurement = ExplanationMeasurement()
        measurement.seed = options.training.stream.seed
        measurement.swapPlace = .class
        let evaluation = try run.evaluate(
            dataset, masks: masks, split: Dataset.heldOutSplit, measurement: measurement,
            threadCount: options.training.threadCount)
        let swaps = evaluation.explanation?.swapTest
        return SweepRun.Figures(
            accuracy: evaluation.accuracy, crossEntropy: evaluation.crossEntropy,
            swappedAccuracy: swaps?.accuracyInsideOther.share ?? 0, swapDifference: swaps?.inside.difference,
            worstGroup: evaluation.worstGroup?.accuracy,
            penalty: try run.metrics()?.epochs.last?.penalty)
    }

    /// Whether a model is hardly better than one that gives every sample the same answer.
    private func isConstant(_ figures: SweepRun.Figures) throws -> Bool {
        guard let labels = dataset.labels else { return false }
        let samples = try dataset.indices(inSplit: Dataset.heldOutSplit)
        let shares = ClassShares(of: samples.map { labels[$0] })
        return figures.crossEntropy >= 0.95 * shares.entropy || figures.accuracy <= shares.largest
    }

    /// The dataset and every option, for `sweep.json`.
    private func record() throws -> [String: JSONValue] {
        try SeriesFolder<SweepRun>.record(
            options.training, dataset: dataset, masks: masks,
            options: [
                "lambda1": .array(options.weights.map { .number($0) }),
                "ways": .array(options.ways.map { .string($0.rawValue) }),
                "seeds": .array(options.seeds.map { .string(String($0)) }),
                "held_out_share": .number(options.heldOutShare), "split": .string(split),
            ])
    }
}

/// How far a sweep is.
public enum SweepProgress: Sendable {
    /// A step of a training.
    case training(number: Int, SweepWay, lambda1: Double, TrainingProgress)
    /// A run is done, of so many.
    case done(SweepRun, of: Int)
}
