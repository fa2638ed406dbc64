public import RRDatasets
internal import RRExplanation
internal import RRFormats
internal import RRNetworks
internal import RRStreaming
internal import RRTensor

/// Training: batches in, a run folder out.
public struct TrainingLoop {
    public let dataset: Dataset
    public let masks: MaskSet?
    public let options: TrainingOptions
    let validation: ValidationSource?

    /// - Throws: `TrainingError` where options contradict each other, the dataset lacks labels or images of the model's
    ///   shape, or the validation does not fit it; `FormatError` or `DatasetError` where the file of the validation
    ///   cannot be read or is no dataset.
    public init(dataset: Dataset, masks: MaskSet?, options: TrainingOptions) throws {
        try options.check(hasMasks: masks != nil)
        guard dataset.labels != nil else {
            throw TrainingError(
                .unsuitableDataset, .file(dataset.path), "has no labels, so there is nothing to learn from it"
            )
        }
        guard dataset.imageShape == options.model.input else {
            throw TrainingError(
                .unsuitableDataset, .file(dataset.path),
                "has images of \(dataset.imageShape), but the model takes \(options.model.input)")
        }
        guard dataset.classCount <= options.model.classCount else {
            throw TrainingError(
                .unsuitableDataset, .file(dataset.path),
                "has \(dataset.classCount) classes, but the model has only \(options.model.classCount)")
        }
        self.dataset = dataset
        self.masks = masks
        self.options = options
        validation = try options.validation.map { try ValidationSource($0, for: dataset) }
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
        _ storage: RunStorage, progress: (TrainingProgress) throws -> Void
    ) throws -> TrainingSummary {
        switch options.precision {
        case .float: try TrainingSession<Float>(self, storage).run(progress)
        case .double: try TrainingSession<Double>(self, storage).run(progress)
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
        output: String, force: Bool, progress: (TrainingProgress) throws -> Void
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
    /// Whether an unfinished run for this output is gone on with, where there is one.
    public var resumes: Bool
    /// The seconds between two checkpoints within an epoch; every epoch but the last ends with one.
    public var checkpointSeconds: Double

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

extension TrainingLoop {
    /// Finds the normalisation that the options ask for.
    func normalization() throws -> InputNormalization? {
        switch options.normalization {
        case .none: nil
        case .automatic: try InputNormalization(measuring: dataset, split: options.split)
        case .fixed(let normalization): normalization
        }
    }

    /// The values of each channel that random ones are drawn from: nil for 0 to 1, which integers are scaled to, and
    /// those of the training split where the images are floats.
    func imageRanges() throws -> [ClosedRange<Float>]? {
        guard options.guidance == .randomized, dataset.elementType == .float32 else { return nil }
        let shape = dataset.imageShape
        var ranges: [ClosedRange<Float>?] = Array(repeating: nil, count: shape.channels)
        let stream = try BatchStream(
            dataset: dataset, options: StreamOptions(batchSize: 256, split: options.split))
        while let batch = try stream.next() {
            batch.images.withUnsafeBufferPointer { images in
                for start in stride(from: 0, to: images.count, by: shape.pixelCount) {
                    let plane = images[start..<start + shape.pixelCount]
                    guard let low = plane.min(), let high = plane.max(), low <= high else { continue }
                    let channel = start / shape.pixelCount % shape.channels
                    ranges[channel] =
                        ranges[channel].map {
                            min($0.lowerBound, low)...max($0.upperBound, high)
                        } ?? low...high
                }
            }
        }
        return ranges.map { $0 ?? 0...1 }
    }

    func streamOptions(epochs: Int) -> StreamOptions {
        var stream = StreamOptions(
            batchSize: options.batchSize, shuffle: options.isShuffled, seed: options.seed, epochs: epochs,
            split: options.split, dropLast: options.dropsLast)
        stream.augmentation = options.augmentation
        stream.annotatedFraction = options.annotatedFraction
        return stream
    }

    /// The weight of each class in the cross-entropy; nil where all are alike.
    func classWeights() throws -> [Double]? {
        switch options.classWeights {
        case .equal: return nil
        case .fixed(let weights): return weights
        case .automatic:
            guard let labels = dataset.labels else { return nil }
            var counts = Array(repeating: 0, count: options.model.classCount)
            let samples = try dataset.indices(inSplit: options.split ?? dataset.split(preferring: "train"))
            for index in samples { counts[Int(labels[index])] += 1 }
            return counts.map { count in
                count == 0 ? 1 : Double(samples.count) / (Double(counts.count) * Double(count))
            }
        }
    }
}

extension TrainingLoop {
    private static let automaticSteps = 100
    private static let automaticBatches = 10
    private static let automaticBounds = 1e-3...1e3

    /// Chooses λ1 such that, once plain cross-entropy has had 100 steps, the penalty of a batch of annotated samples weighs
    /// as much as it.
    ///
    /// - Throws: `TrainingError` with the code `diverged`.
    func lambda1<Scalar: NetworkScalar>(
        startingFrom initial: Parameters<Scalar>, _ normalization: InputNormalization?
    ) throws -> Double {
        if case .value(let value) = options.lambda1 { return value }
        guard let masks, masks.annotatedCount > 0 else { return 0 }
        let trainer = try Trainer(
            model: options.model, parameters: initial, seed: options.seed, lambda1: 0,
            optimizer: options.optimizer, refinements: options.refinements(classWeights: nil),
            normalization: normalization, threads: options.threads)
        let stream = try BatchStream(dataset: dataset, masks: masks, options: streamOptions(epochs: .max))
        for step in 0..<Self.automaticSteps {
            guard let batch = try stream.next() else { return 0 }
            guard try trainer.step(batch).loss.isFinite else { throw Self.divergence(step: step) }
        }
        let loss = ExplanationLoss(
            network: trainer.network, lambda1: 1, target: options.penaltyTarget, threads: options.threads)
        var unused: [Scalar] = []
        var crossEntropy = 0.0
        var penalty = 0.0
        var measured = 0
        // Every epoch meets an annotated sample, if the split has one; it may have none.
        for _ in 0..<max(stream.batchesPerEpoch, Self.automaticBatches) where measured < Self.automaticBatches
        {
            guard let batch = try stream.next() else { break }
            guard let annotated = try LabelledBatch(batch, normalization).annotated() else { continue }
            let terms = try loss.compute(annotated, at: trainer.parameters, gradient: &unused)
            crossEntropy += terms.crossEntropy
            penalty += terms.penalty ?? 0
            measured += 1
        }
        guard measured > 0 else { return 0 }
        guard crossEntropy.isFinite, penalty.isFinite else {
            throw Self.divergence(step: Self.automaticSteps)
        }
        let chosen = min(
            max(crossEntropy / penalty, Self.automaticBounds.lowerBound), Self.automaticBounds.upperBound)
        // A sum is as many times the mean as there are samples in the batch.
        return options.penaltyReduction == .sum
            ? chosen / Double(min(options.batchSize, stream.samplesPerEpoch)) : chosen
    }

    private static func divergence(step: Int) -> TrainingError {
        .divergence(
            step: step,
            "the loss is no longer a finite number in the \(automaticSteps) steps of plain cross-entropy after which "
                + "\(option: .lambda1) auto is chosen")
    }
}

extension OperationName {
    static let training = OperationName("TrainingLoop")
}
