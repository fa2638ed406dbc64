internal import RRDatasets
internal import RRExplanation
internal import RRFormats
internal import RRNetworks
internal import RRSchemas
internal import RRStreaming
internal import RRTensor

/// One training run under way: from its first step, or from a checkpoint, to its end.
final class TrainingSession<Scalar: NetworkScalar> {
    private let loop: TrainingLoop
    private let options: TrainingOptions
    private let storage: RunStorage
    private let normalization: InputNormalization?
    private let lambda1: Double
    private let trainer: Trainer<Scalar>
    private let stream: BatchStream
    private let length: TrainingLength
    private let writer: RunWriter
    private let gathering: GradientMasks<Scalar>?
    /// Whether the file of gathered masks is replaced.
    private let replacesMasks: Bool
    private var position = RunPosition()
    private var lastEpoch: EpochRecord.Summary?

    private let clock = ContinuousClock()
    private let start: ContinuousClock.Instant
    /// The seconds that a run took before it was resumed.
    private let secondsBefore: Double
    private let firstStep: Int
    private var lastCheckpoint: (time: ContinuousClock.Instant, step: Int?)

    /// Opens the run, settles what its options leave open, and starts it or takes it up where it was stopped.
    ///
    /// - Throws: as `TrainingLoop.run(_:progress:)`.
    init(_ loop: TrainingLoop, _ storage: RunStorage) throws {
        try storage.check()
        self.loop = loop
        self.storage = storage
        let options = loop.options
        self.options = options
        start = clock.now
        var network = try Network<Scalar>(options.model)
        network.isExact = options.isExact
        try network.checkMemory()
        try loop.bound(&network)
        let unfinished =
            storage.resumes ? try UnfinishedRun(of: storage.output) : nil
        // Only what this very run may have written there is replaced unasked.
        replacesMasks = storage.force || unfinished != nil
        try options.collection?.check(against: storage, replaces: replacesMasks)
        let checkpoint: Checkpoint<Scalar>? = try unfinished?.checkpoint(
            layout: network.parameterLayout, as: Scalar.self)
        // Before anything is measured, so that an output that is in the way shows at once.
        let fresh =
            unfinished == nil ? try RunWriter(path: storage.output, force: storage.force) : nil
        position = checkpoint?.progress ?? RunPosition()

        let choices = try TrainingChoices(loop, network, goingOnWith: unfinished)
        lambda1 = choices.lambda1
        normalization = choices.normalization
        stream = try Self.stream(of: loop, from: position, isResumed: unfinished != nil)
        length = TrainingLength(of: stream, epochs: options.stream.epochs)
        trainer = try Trainer(
            network: network, parameters: choices.initial, loss: choices.loss,
            optimization: options.optimization, length: length, normalization: choices.normalization,
            seed: options.stream.seed, threadCount: options.threadCount)
        gathering = try options.collection.map {
            var making = MaskMaking(dataset: loop.dataset, selection: $0.selection)
            making.threadCount = options.threadCount
            return try GradientMasks(making)
        }
        let configuration = try RunConfiguration.json(
            options, dataset: loop.dataset, split: stream.split, masks: loop.masks, lambda1: choices.lambda1,
            normalization: choices.normalization, classWeights: choices.loss.classWeights.values,
            validation: loop.validation)
        if let unfinished, let checkpoint {
            try unfinished.check(configuration, model: options.model, datasetPath: loop.dataset.path)
            try Self.restore(
                trainer, from: checkpoint, path: unfinished.path, epochs: options.stream.epochs, length)
        }
        writer =
            try fresh
            ?? RunWriter(
                resuming: storage.output, at: position,
                // A run that this one makes longer gives its place up.
                force: storage.force || RunContinuation.isContinued(storage.output))
        if fresh != nil { try writer.write(configuration: configuration, model: options.model) }
        firstStep = trainer.stepCount
        secondsBefore = position.seconds
        lastCheckpoint = (clock.now, checkpoint?.trainer.stepCount)
        // Who means to resume wants the run found from its first step on.
        if storage.resumes, checkpoint == nil { try writeCheckpoint() }
    }

    /// Opens the stream at a place.
    private static func stream(
        of loop: TrainingLoop, from position: RunPosition, isResumed: Bool
    ) throws -> BatchStream {
        let options = loop.options.stream
        let (place, isBeyond) = position.batch.multipliedReportingOverflow(by: options.batchSize)
        let stream: BatchStream
        do {
            stream = try BatchStream(
                dataset: loop.dataset, masks: loop.masks, options: options,
                from: StreamPosition(epoch: position.epoch, position: isBeyond ? .max : place),
                resources: loop.streamResources)
        } catch let error as DatasetError where error.code == .valueOutOfRange && isResumed {
            // With another batch size too, which the comparison of the options names.
            stream = try BatchStream(
                dataset: loop.dataset, masks: loop.masks, options: options, resources: loop.streamResources)
        }
        guard stream.batchesPerEpoch > 0 else {
            throw TrainingError(
                .unsuitableDataset, .file(loop.dataset.path),
                "gives no batch: the split \(stream.split) has fewer samples than \(option: .batchSize) "
                    + "\(options.batchSize), and \(option: .dropsLast) leaves them out")
        }
        return stream
    }

    /// Puts the trainer where the checkpoint was written.
    private static func restore(
        _ trainer: Trainer<Scalar>, from checkpoint: Checkpoint<Scalar>, path: String, epochs: Int,
        _ length: TrainingLength
    ) throws {
        let position = checkpoint.progress
        guard trainer.accepts(checkpoint.trainer), position.epoch < epochs,
            position.batch < length.stepsPerEpoch,
            checkpoint.trainer.stepCount == position.epoch &* length.stepsPerEpoch &+ position.batch
        else {
            throw FormatError(
                .malformed, path: path + "/" + RunFile.checkpoint,
                "the checkpoint does not fit the run: start anew with \(option: .force)")
        }
        trainer.restore(checkpoint.trainer)
    }

    /// Trains the run, or what is left of it, to its end.
    func run(_ progress: (TrainingProgress) throws -> Void) throws -> TrainingSummary {
        var isDone = false
        /// Of the last epoch that has ended.
        var validation: Evaluation?
        while !isDone {
            let stepStart = clock.now
            guard let batch = try stream.next() else { break }
            let waited = clock.now - stepStart
            let learningRate = trainer.learningRate
            var labelled = try LabelledBatch(batch, normalization)
            if trainer.weighsGroups {
                labelled.groups = loop.dataset.groups.map { groups in
                    batch.indices.map { groups.numbers[Int($0)] }
                }
            }
            let terms =
                if let gathering, isGathering(inEpoch: batch.epoch) {
                    try gather(labelled, isFirst: batch.step == 0, into: gathering)
                } else {
                    try trainer.step(labelled, visitor: nil)
                }
            guard terms.loss.isFinite else {
                throw divergence(
                    step: trainer.stepCount - 1,
                    "the loss is no longer a finite number (cross-entropy \(terms.crossEntropy), penalty "
                        + "\(terms.penalty.map { "\($0)" } ?? "none"))")
            }
            let timing = StepTiming(total: clock.now - stepStart, waiting: waited)
            position.record.add(terms, timing, epoch: batch.epoch)
            var lines = [terms.json(timing, epoch: batch.epoch, step: trainer.stepCount - 1, learningRate)]
            try writer.append(lines[0])
            let isEndOfEpoch = batch.step + 1 == stream.batchesPerEpoch
            // Before the epoch's last progress is told, so that it tells these figures too.
            if isEndOfEpoch {
                validation = try validate()
                lines.append(position.record.json(validation: validation, split: loop.validation?.split))
            }
            try progress(
                TrainingProgress(
                    epoch: batch.epoch, epochCount: options.stream.epochs, step: trainer.stepCount,
                    stepCount: length.stepCount, firstStep: firstStep,
                    isEndOfEpoch: isEndOfEpoch,
                    lambda1: terms.lambda1, mean: position.record.summary,
                    validationAccuracy: validation?.accuracy,
                    worstGroupAccuracy: validation?.worstGroup?.accuracy, lines: lines))
            if isEndOfEpoch {
                isDone = try endEpoch(batch.epoch, validation, line: lines[1])
            } else {
                (position.epoch, position.batch) = (batch.epoch, batch.step + 1)
                if isCheckpointDue { try writeCheckpoint() }
            }
        }
        return try finish()
    }

    /// Whether masks are gathered in an epoch: in the last, and where training may stop early in every one.
    private func isGathering(inEpoch epoch: Int) -> Bool {
        gathering != nil && (options.patience != nil || epoch + 1 == options.stream.epochs)
    }

    /// Takes a step, and marks what the network looked at meanwhile.
    private func gather(
        _ batch: LabelledBatch, isFirst: Bool, into gathering: GradientMasks<Scalar>
    ) throws -> LossTerms {
        if isFirst { try gathering.removeAll() }
        return try gathering.add(indices: batch.indices ?? []) { select throws(ExplanationError) in
            try trainer.step(batch) { select($0.worker, $0.position, $0.gradient) }
        }
    }

    /// Measures the model on the samples of the validation; nil where there are none.
    private func validate() throws -> Evaluation? {
        let validation = try loop.validation.map { source in
            try trainer.evaluate(
                source.dataset, split: source.split, resizeCrop: options.stream.resizeCrop,
                batchSize: options.stream.batchSize)
        }
        if let validation, !validation.crossEntropy.isFinite {
            throw divergence(
                step: trainer.stepCount, "the cross-entropy of the validation is no longer a finite number")
        }
        return validation
    }

    /// Writes the epoch's line.
    ///
    /// - Returns: whether it was the last.
    private func endEpoch(_ epoch: Int, _ validation: Evaluation?, line: JSONValue) throws -> Bool {
        try writer.append(line)
        try writer.append(position.record.row(validation: validation))
        lastEpoch = position.record.summary
        position.record = EpochRecord()
        (position.epoch, position.batch) = (epoch + 1, 0)
        if let validation {
            let value = options.bestMetric.value(validation)
            if position.watch.add(value, epoch: epoch, metric: options.bestMetric) {
                try writer.writeBest(trainer.parameters)
            }
            if let patience = options.patience, position.watch.epochsWithout >= patience { return true }
        }
        guard epoch + 1 < options.stream.epochs else { return true }
        try writeCheckpoint()
        return false
    }

    private func finish() throws -> TrainingSummary {
        try checkParameters()
        guard let lastEpoch else {
            throw TrainingError(.malformedRun, .file(storage.output), "had no epoch left to train")
        }
        // Without its masks the run would count as done, and resuming it would make none: both appear, or the checkpoint stays.
        let collected = try gathering.flatMap(writeMasks)
        position.seconds = seconds
        try writer.finish(
            trainer, at: storage.keepsContinuation ? position : nil, with: collected?.output)
        return TrainingSummary(
            output: storage.output, lambda1: lambda1, stepCount: trainer.stepCount,
            epochCount: position.epoch, best: position.watch.best, collectedMasks: collected?.summary,
            lastEpoch: lastEpoch, seconds: seconds, wasDone: false)
    }
}

extension TrainingSession {
    /// Writes the collected masks to an output that is committed with the run.
    private func writeMasks(
        _ gathering: GradientMasks<Scalar>
    ) throws -> (output: AtomicOutput, summary: MaskMakingSummary)? {
        guard let collection = options.collection else { return nil }
        let (masks, summary) = try gathering.finish()
        let output = try AtomicOutput(path: collection.output, force: replacesMasks)
        try MaskSetWriter.write(
            masks,
            provenance: [
                "source": "train", "selection": .string(collection.selection.description),
                "target": .string(trainer.penaltyTarget.rawValue), "epoch": .integer(position.epoch - 1),
            ],
            to: output)
        return (output, summary)
    }

    private var seconds: Double { secondsBefore + (clock.now - start) / .seconds(1) }

    /// A checkpoint within an epoch would lose the masks that the epoch has gathered.
    private var isCheckpointDue: Bool {
        !isGathering(inEpoch: position.epoch)
            && clock.now - lastCheckpoint.time >= .seconds(storage.checkpointSeconds)
    }

    private func writeCheckpoint() throws {
        try checkParameters()
        position.seconds = seconds
        try writer.write(trainer.state, at: &position)
        lastCheckpoint = (clock.now, trainer.stepCount)
    }

    /// Checks that what is kept is worth keeping.
    private func checkParameters() throws {
        guard !trainer.parameters.values.allSatisfy(\.isFinite) else { return }
        throw divergence(
            step: trainer.stepCount - 1, "the step has left weights that are not finite numbers")
    }

    private func divergence(step: Int, _ what: Message) -> TrainingError {
        let path = UnfinishedRun.path(of: storage.output) + "/" + RunFile.checkpoint
        return .divergence(
            step: step, what,
            kept: lastCheckpoint.step.map {
                "The last good checkpoint, after \($0) steps, is \(path); \(option: .initialWeights) takes its weights from "
                    + "\(CheckpointFile.names(step: $0).weights)."
            })
    }
}

extension LossTerms {
    /// The step's line in `metrics.jsonl`.
    fileprivate func json(_ timing: StepTiming, epoch: Int, step: Int, _ learningRate: Double) -> JSONValue {
        [
            "epoch": .integer(epoch), "step": .integer(step), "loss": .number(loss),
            "cross_entropy": .number(crossEntropy), "penalty": penalty.map { .number($0) } ?? .null,
            "lambda1": .number(lambda1), "learning_rate": .number(learningRate),
            "seconds": .number(timing.total / .seconds(1)),
            "seconds_waiting": .number(timing.waiting / .seconds(1)),
        ]
    }
}
