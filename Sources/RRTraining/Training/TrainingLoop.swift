public import RRDatasets
internal import RRExplanation
public import RRFormats
internal import RRNetworks
internal import RRSchemas
internal import RRStreaming

/// Training: batches in, a run folder out.
public struct TrainingLoop {
    public let dataset: Dataset
    public let masks: MaskSet?
    public let options: TrainingOptions
    let validation: ValidationSource?

    /// What those who train should know of the data, and of the memory, before they wait for the result.
    public private(set) var notes: [Message]

    /// Is told of every step that an automatic λ1 takes before the first of the run: how many are done, and of how many.
    public var lambda1Progress: ((_ stepsDone: Int, _ stepCount: Int) -> Void)?

    /// - Throws: `TrainingError` where options contradict each other, the dataset lacks labels or images of the model's
    ///   shape, or the validation does not fit it; `FormatError` or `DatasetError` where the file of the validation
    ///   cannot be read or is no dataset.
    public init(dataset: Dataset, masks: MaskSet? = nil, options: TrainingOptions) throws {
        let asksForPenalty = options.loss.lambda1.map { $0 != 0 } ?? false
        var options = options
        if options.loss.lambda1 == nil {
            options.loss.lambda1 =
                switch options.loss.guidance {
                case .rightReasons: masks != nil ? .automatic : 0
                case .counterexamples, .adversarial: 1
                case .inputGradient: nil
                }
        }
        try options.check(hasMasks: masks != nil)
        let drawn = try masks.flatMap { try Self.prepareSwap(&options, of: dataset, $0) }
        guard dataset.labels != nil else {
            throw TrainingError(
                .unsuitableDataset, .file(dataset.path), "has no labels, so there is nothing to learn from it"
            )
        }
        try Self.checkShapes(of: dataset, options)
        guard dataset.classCount <= options.model.classCount else {
            throw TrainingError(
                .unsuitableDataset, .file(dataset.path),
                "has \(dataset.classCount) classes, but the model has only \(options.model.classCount)")
        }
        self.dataset = dataset
        self.masks = masks
        self.options = options
        validation = try options.validation.map {
            try ValidationSource($0, for: dataset, resizes: options.stream.resizeCrop != nil)
        }
        guard options.bestMetric != .worstGroup || validation?.dataset.groups != nil else {
            throw TrainingError(
                .invalidOption, .option(.bestMetric),
                "worst-group needs groups, and what \(option: .validation) names has none")
        }
        if dataset.groups == nil {
            for (isWanted, option) in [
                (options.loss.classWeights == .groups, OptionName.classWeights),
                (options.loss.groupStepSize != nil, .groupStepSize),
            ] where isWanted {
                throw TrainingError(
                    .invalidOption, .option(option),
                    "needs groups, and the dataset has none: a column “group” of its list of images is where an import takes "
                        + "them from")
            }
        }
        let plain = try masks.flatMap {
            try Self.missingAnnotation(of: dataset, $0, options, asksForPenalty: asksForPenalty)
        }
        let initial = try options.initialWeights.map {
            try WeightsMatch(
                options.initialTensors.map { [StateDict($0)] } ?? StateDictFile.read($0), path: $0,
                layout: Network<Float>(options.model).parameterLayout, head: .some(options.head)
            ).notes
        }
        notes =
            try (initial ?? [])
            + [plain, drawn, validation?.note, Self.attributionNote(options)].compactMap(\.self)
            + Self.remarks(
                on: dataset, options, masks: plain == nil ? masks : nil)
        if let note = try memoryNote() { notes.append(note) }
    }

    /// Checks that the model takes images as they are trained and measured on.
    ///
    /// - Throws: `TrainingError` with the code `unsuitableDataset` or `invalidOption`.
    private static func checkShapes(of dataset: Dataset, _ options: TrainingOptions) throws {
        let input = options.model.input
        let trained = try options.stream.imageShape(of: dataset.imageShape)
        guard trained == input else {
            let change: Message = trained == dataset.imageShape ? "" : ", which become \(trained)"
            throw TrainingError(
                .unsuitableDataset, .file(dataset.path),
                "has images of \(dataset.imageShape)\(change), but the model takes \(input)")
        }
        var plain = options.stream
        plain.augmentation = nil
        let measured = try plain.imageShape(of: dataset.imageShape)
        guard measured == input || (options.validation == nil && plain.resizeCrop == nil) else {
            throw TrainingError(
                .invalidOption, .option(.resizeCrop),
                "has to bring images of \(dataset.imageShape) to the model's \(input) for the validation and for "
                    + "evaluate, where nothing is cropped at random, but they are \(measured)")
        }
    }

    /// Lets the stream bring what another sample shows inside its mask, where the guidance wants it, and enough annotated
    /// samples.
    ///
    /// - Returns: what to say of the samples that are drawn for it; nil where chance brings enough.
    /// - Throws: `DatasetError` where the split is unknown.
    private static func prepareSwap(
        _ options: inout TrainingOptions, of dataset: Dataset, _ masks: MaskSet
    ) throws -> Message? {
        guard options.loss.guidance.counterexamples?.fill == .swap, options.loss.lambda1 != .value(0) else {
            return nil
        }
        options.stream.swapsRegions = true
        guard options.stream.annotatedFraction == nil, options.stream.balance == nil,
            options.stream.isShuffled
        else { return nil }
        let samples = try dataset.indices(
            inSplit: options.stream.split ?? dataset.split(preferring: "train"))
        let annotated = samples.count(where: masks.isAnnotated)
        guard annotated > 1, annotated < samples.count / 4 else { return nil }
        options.stream.annotatedFraction = 0.5
        return """
            \(annotated) of \(samples.count) samples are annotated, so that half of every batch is drawn from them; \
            \(option: .annotatedFraction) says otherwise
            """
    }

    /// What to say where no mask marks a pixel of the samples that are trained on; nil where one does.
    ///
    /// - Throws: `TrainingError` with the code `nothingAnnotated` where a penalty is asked for and these samples have not
    ///   even masks that mark nothing.
    private static func missingAnnotation(
        of dataset: Dataset, _ masks: MaskSet, _ options: TrainingOptions, asksForPenalty: Bool
    ) throws -> Message? {
        guard options.loss.guidance != .inputGradient else { return nil }
        let split = options.stream.split ?? dataset.split(preferring: "train")
        let samples = try dataset.indices(inSplit: split)
        guard !samples.contains(where: masks.isAnnotated) else { return nil }
        let missing = masks.missingAnnotation(inSplit: split)
        guard !asksForPenalty || samples.contains(where: masks.hasRow) else {
            throw TrainingError(
                .nothingAnnotated, .option(.masks),
                "\(missing), so \(option: .lambda1) would weigh nothing: give masks of samples that are trained on, or "
                    + "leave \(option: .lambda1) out")
        }
        return "\(missing), so this is plain cross-entropy"
    }

    /// Trains, and writes the run folder.
    ///
    /// - Parameters:
    ///   - storage: where the run is written, and how often it can be resumed.
    ///   - progress: is told of every step; what it throws ends the run there.
    /// - Throws: `FormatError` where a file cannot be read or written, `DatasetError` where a sample is damaged,
    ///   and `TrainingError` with the code `diverged`, or `invalidOption` or `unsuitableDataset` where a run is
    ///   resumed that was started otherwise.
    public func run(
        _ storage: RunStorage, progress: (TrainingProgress) throws -> Void = { _ in }
    ) throws -> TrainingSummary {
        func run<Scalar: NetworkScalar>(_: Scalar.Type) throws -> TrainingSummary {
            try TrainingSession<Scalar>.done(self, storage)
                ?? TrainingSession<Scalar>(self, storage).run(progress)
        }
        return switch options.precision {
        case .float: try run(Float.self)
        case .double: try run(Double.self)
        }
    }

    /// Trains in one go, and writes the run folder.
    ///
    /// - Parameters:
    ///   - output: the folder, which appears whole when the run is done.
    ///   - force: whether a folder of that name is replaced.
    ///   - progress: is told of every step.
    /// - Throws: as `run(_:progress:)`.
    public func run(
        output: String, force: Bool = false, progress: (TrainingProgress) throws -> Void = { _ in }
    ) throws -> TrainingSummary {
        try run(RunStorage(output: output, force: force), progress: progress)
    }
}

/// Where a run is written, and how often it can be resumed.
public struct RunStorage: Hashable, Sendable {
    /// The run folder.
    public var output: String
    /// Whether a run of that name is replaced.
    public var force: Bool
    /// Whether an unfinished run for this output is gone on with, where there is one; of one that is done, and was asked for
    /// with the same options, what it came to is given again; with more epochs, and a learning rate that does not go by their number,
    /// it becomes as if it had been asked for with these.
    public var resumes: Bool
    /// The seconds between two checkpoints within an epoch; every epoch but the last ends with one.
    public var checkpointSeconds: Double
    /// Whether a run that is done keeps the optimiser's memory, so that it can be made longer.
    public var keepsContinuation = true

    public init(output: String, force: Bool = false, resumes: Bool = false, checkpointSeconds: Double = 60) {
        self.output = output
        self.force = force
        self.resumes = resumes
        self.checkpointSeconds = checkpointSeconds
    }

    /// - Throws: `TrainingError` with the code `invalidOption`.
    func check() throws(TrainingError) {
        guard checkpointSeconds >= 0, checkpointSeconds <= 1e9 else {
            throw TrainingError(
                .invalidOption, .option(.checkpointSeconds), "must be a number of seconds of at least 0")
        }
    }
}

extension OperationName {
    static let training = OperationName("TrainingLoop")
}

/// How far a training run is.
public struct TrainingProgress: Sendable {
    /// From 0.
    public let epoch: Int
    public let epochCount: Int
    /// The number of steps done.
    public let step: Int
    /// The number of steps of the whole run.
    public let stepCount: Int
    /// The number of steps that were done when this process began: above 0 in a run that was resumed.
    public let firstStep: Int
    /// Whether the step was the last of its epoch.
    public let isEndOfEpoch: Bool
    public let lambda1: Double
    /// The means over the epoch so far.
    public let mean: EpochRecord.Summary
    /// The accuracy of the last validation; nil before the first, and without any.
    public let validationAccuracy: Double?
    /// The accuracy of the group that it recognised worst; nil where there are no groups.
    public let worstGroupAccuracy: Double?
    /// What the step adds to the metrics of the run: itself, and its epoch where it was the last of it.
    public var metrics: RunMetrics { RunMetrics(lines) }
    /// The lines of `metrics.jsonl` that the step adds.
    let lines: [JSONValue]
}

/// What a training run came to.
public struct TrainingSummary: Sendable {
    /// The run folder.
    public let output: String
    /// The weight of the penalty that was used.
    public let lambda1: Double
    /// The number of steps taken.
    public let stepCount: Int
    /// The number of epochs: fewer than asked for where training stopped early.
    public let epochCount: Int
    /// The epoch with the best validation figures, whose weights are `best.safetensors`; nil without validation.
    public let best: BestEpoch?
    /// The masks that were gathered on the way; nil where none were asked for.
    public let collectedMasks: MaskMakingSummary?
    /// The means over the last epoch.
    public let lastEpoch: EpochRecord.Summary
    /// The wall time of the run; of one that was done before, that of its epochs.
    public let seconds: Double
    /// Whether the run was done before it was asked for, so that no step was taken.
    public let wasDone: Bool
}
