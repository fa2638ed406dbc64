public import RRDatasets
internal import RRExplanation
internal import RRFormats
internal import RRNetworks
internal import RRSchemas
internal import RRStreaming

/// The loop behind `rrdata train`: batches in, a run folder out.
public struct TrainingLoop {
    public let dataset: Dataset
    public let masks: MaskSet?
    public let options: TrainingOptions

    /// - Throws: `TrainingError` where options contradict each other or the dataset lacks labels or images of the
    ///   model's shape.
    public init(dataset: Dataset, masks: MaskSet?, options: TrainingOptions) throws(TrainingError) {
        try options.check(hasMasks: masks != nil)
        guard dataset.labels != nil else {
            throw TrainingError(
                .unsuitableDataset, dataset.path, "has no labels, so there is nothing to learn from it")
        }
        guard dataset.imageShape == options.model.input else {
            throw TrainingError(
                .unsuitableDataset, dataset.path,
                "has images of \(dataset.imageShape), but the model takes \(options.model.input)")
        }
        guard dataset.classCount <= options.model.classCount else {
            throw TrainingError(
                .unsuitableDataset, dataset.path,
                "has \(dataset.classCount) classes, but the model has only \(options.model.classCount)")
        }
        self.dataset = dataset
        self.masks = masks
        self.options = options
    }

    /// Trains, and writes the run folder.
    ///
    /// - Parameters:
    ///   - output: the folder, which appears whole when the run is done.
    ///   - force: whether a folder of that name is replaced.
    ///   - progress: is told of every step.
    /// - Throws: `FormatError` where a file cannot be read or written, `DatasetError` where a sample is damaged,
    ///   and `TrainingError` with the code `diverged`.
    public func run(
        output: String, force: Bool, progress: (TrainingProgress) -> Void
    ) throws -> TrainingSummary {
        switch options.precision {
        case .float: try train(Float.self, output, force, progress)
        case .double: try train(Double.self, output, force, progress)
        }
    }

    private func train<Scalar: NetworkScalar>(
        _: Scalar.Type, _ output: String, _ force: Bool, _ progress: (TrainingProgress) -> Void
    ) throws -> TrainingSummary {
        let clock = ContinuousClock()
        let start = clock.now
        let writer = try RunWriter(path: output, force: force)
        let network = try Network<Scalar>(options.model)
        let initial =
            try options.initialWeights.map {
                try WeightsFile.read($0, layout: network.parameterLayout, as: Scalar.self)
            } ?? network.initialParameters(seed: options.seed)
        let normalization = try normalization()
        let lambda1 = try lambda1(startingFrom: initial, normalization)
        let trainer = try Trainer(
            model: options.model, parameters: initial, seed: options.seed, lambda1: lambda1,
            target: options.penaltyTarget, reduction: options.penaltyReduction,
            optimizer: options.optimizer, normalization: normalization, threads: options.threads)
        let stream = try BatchStream(
            dataset: dataset, masks: masks, options: streamOptions(epochs: options.epochs))
        try writer.write(
            configuration: RunConfiguration.json(
                options, dataset: dataset, split: stream.split, masks: masks, lambda1: lambda1,
                normalization: normalization),
            model: options.model)

        var record = EpochRecord()
        var step = 0
        var last: EpochRecord.Summary?
        while true {
            let stepStart = clock.now
            let batch = try stream.next()
            let waited = clock.now - stepStart
            if record.stepCount > 0, batch?.epoch != record.epoch {
                let validation = try options.validationSplit.map { split in
                    try Evaluation(
                        network: network, parameters: trainer.parameters, normalization: normalization,
                        dataset: dataset, masks: nil,
                        split: split, batchSize: options.batchSize, threads: options.threads)
                }
                last = record.summary
                try writer.append(record.json(validation: validation, split: options.validationSplit))
                record = EpochRecord()
            }
            guard let batch else { break }
            let terms = try trainer.step(batch)
            guard terms.loss.isFinite else {
                throw TrainingError(
                    .diverged, "step \(step)",
                    "the loss is no longer a finite number: lower --learning-rate or --lambda1")
            }
            let timing = StepTiming(total: clock.now - stepStart, waiting: waited)
            record.add(terms, timing, epoch: batch.epoch)
            try writer.append(
                Self.json(terms, timing, epoch: batch.epoch, step: step, options.optimizer.learningRate))
            step += 1
            progress(
                TrainingProgress(
                    epoch: batch.epoch, epochCount: options.epochs, step: step,
                    stepCount: stream.batchCount, mean: record.summary))
        }
        guard let last else {
            throw TrainingError(
                .unsuitableDataset, dataset.path,
                "gives no batch: the split \(stream.split) has fewer samples than --batch-size "
                    + "\(options.batchSize), and --drop-last leaves them out")
        }
        try writer.finish(trainer.parameters)
        return TrainingSummary(
            output: output, lambda1: lambda1, stepCount: step, lastEpoch: last,
            seconds: (clock.now - start) / .seconds(1))
    }

    private func normalization() throws -> InputNormalization? {
        switch options.normalization {
        case .none: nil
        case .automatic: try InputNormalization(measuring: dataset, split: options.split)
        case .fixed(let normalization): normalization
        }
    }

    private func streamOptions(epochs: Int) -> StreamOptions {
        var stream = StreamOptions(
            batchSize: options.batchSize, shuffle: options.isShuffled, seed: options.seed, epochs: epochs,
            split: options.split, dropLast: options.dropsLast)
        stream.augmentation = options.augmentation
        return stream
    }

    private static func json(
        _ terms: LossTerms, _ timing: StepTiming, epoch: Int, step: Int, _ learningRate: Double
    ) -> JSONValue {
        [
            "epoch": .integer(epoch), "step": .integer(step), "loss": .number(terms.loss),
            "cross_entropy": .number(terms.crossEntropy),
            "penalty": terms.penalty.map { .number($0) } ?? .null, "lambda1": .number(terms.lambda1),
            "learning_rate": .number(learningRate), "seconds": .number(timing.total / .seconds(1)),
            "seconds_waiting": .number(timing.waiting / .seconds(1)),
        ]
    }
}

extension TrainingLoop {
    private static let automaticSteps = 100
    private static let automaticBatches = 10
    private static let automaticBounds = 1e-3...1e3

    /// Chooses λ1 such that, once plain cross-entropy has had 100 steps, the penalty weighs as much as it.
    private func lambda1<Scalar: NetworkScalar>(
        startingFrom initial: Parameters<Scalar>, _ normalization: InputNormalization?
    ) throws -> Double {
        if case .value(let value) = options.lambda1 { return value }
        guard let masks, masks.annotatedCount > 0 else { return 0 }
        let trainer = try Trainer(
            model: options.model, parameters: initial, seed: options.seed, lambda1: 0,
            optimizer: options.optimizer, normalization: normalization, threads: options.threads)
        let stream = try BatchStream(dataset: dataset, masks: masks, options: streamOptions(epochs: .max))
        for _ in 0..<Self.automaticSteps {
            guard let batch = try stream.next() else { return 0 }
            _ = try trainer.step(batch)
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
        return min(
            max(crossEntropy / penalty, Self.automaticBounds.lowerBound), Self.automaticBounds.upperBound)
    }
}
