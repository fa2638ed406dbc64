internal import RRDatasets
internal import RRExplanation
internal import RRFormats
internal import RRNetworks
internal import RRSchemas
internal import RRStreaming
internal import RRTensor

/// What a run settles before its first step: where it starts from, and the numbers that options leave to the dataset.
struct TrainingChoices<Scalar: NetworkScalar> {
    let initial: Parameters<Scalar>
    let normalization: InputNormalization?
    /// λ1, the class weights and the ranges of images as numbers.
    private(set) var loss: LossOptions
    private(set) var lambda1 = 0.0

    /// - Parameter unfinished: a run whose choices are taken over, for measuring them again takes long.
    init(_ loop: TrainingLoop, _ network: Network<Scalar>, goingOnWith unfinished: UnfinishedRun?) throws {
        let (options, dataset) = (loop.options, loop.dataset)
        initial =
            try options.initialWeights.map {
                try WeightsFile.readInitial(
                    $0, tensors: options.initialTensors, of: network, head: options.head,
                    seed: options.stream.seed)
            } ?? network.initialParameters(seed: options.stream.seed)
        switch (options.normalization, unfinished) {
        case (.none, _): normalization = nil
        case (.fixed(let fixed), _): normalization = fixed
        case (.automatic, nil):
            normalization = try InputNormalization(measuring: dataset, split: options.stream.split)
        case (.automatic, let unfinished?):
            normalization = try RunConfiguration.normalization(
                in: unfinished.configuration, path: unfinished.path)
        }
        loss = options.loss
        if case .value(let given) = options.loss.lambda1 {
            lambda1 = given
        } else {
            lambda1 =
                try unfinished?.configuration["options"]?["lambda1"]?.doubleValue
                ?? loop.automaticLambda1(network, startingFrom: initial, normalization)
        }
        loss.lambda1 = .value(lambda1)
        let samples = try dataset.indices(
            inSplit: options.stream.split ?? dataset.split(preferring: "train"))
        if loss.classWeights == .automatic, let labels = dataset.labels {
            loss.classWeights = .fixed(
                ClassWeights.balanced(
                    samples.map { Int(labels[$0]) }, classCount: options.model.classCount))
        }
        if let groups = dataset.groups {
            if loss.classWeights == .groups {
                loss.classWeights = .equal
                loss.groupWeighting = .fixed(
                    ClassWeights.balanced(samples.map { groups.numbers[$0] }, classCount: groups.count))
            } else if let stepSize = loss.groupStepSize {
                loss.groupWeighting = .robust(
                    GroupRobustness(groupCount: groups.count, stepSize: stepSize))
            }
        }
        switch loss.guidance.counterexamples?.fill {
        case .uniform where loss.guidance.isRandom && dataset.elementType == .float32:
            loss.imageRanges = try loop.measuredImageRanges()
        case .noise, .mean:
            let measured = try InputNormalization(measuring: dataset, split: options.stream.split)
            loss.imageMoments = zip(measured.means, measured.standardDeviations).map {
                ChannelMoments(mean: $0, standardDeviation: $1)
            }
        case .uniform, .swap, nil: break
        }
    }
}

extension TrainingLoop {
    /// The values of each channel in the training split.
    func measuredImageRanges() throws -> [ClosedRange<Float>] {
        let shape = dataset.imageShape
        var ranges: [ClosedRange<Float>?] = Array(repeating: nil, count: shape.channels)
        let stream = try BatchStream(
            dataset: dataset, options: StreamOptions(batchSize: 256, split: options.stream.split))
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

    private static let automaticSteps = 100
    private static let automaticBatches = 10
    private static let automaticStepCount = automaticSteps + automaticBatches
    private static let automaticBounds = 1e-3...1e3

    /// Chooses λ1 such that, once plain cross-entropy has had 100 steps, the penalty of a batch of annotated samples weighs
    /// as much as it.
    ///
    /// - Returns: 0 where no sample is annotated.
    /// - Throws: `TrainingError` with the code `diverged`.
    func automaticLambda1<Scalar: NetworkScalar>(
        _ network: Network<Scalar>, startingFrom initial: Parameters<Scalar>,
        _ normalization: InputNormalization?
    ) throws -> Double {
        guard let masks, masks.annotatedCount > 0 else { return 0 }
        var optimization = options.optimization
        optimization.schedule = ScheduleOptions()
        optimization.frozenEpochs = nil
        let trainer = try Trainer(
            network: network, parameters: initial,
            loss: LossOptions(lambda1: 0, labelSmoothing: options.loss.labelSmoothing),
            optimization: optimization, normalization: normalization, seed: options.stream.seed,
            threadCount: options.threadCount)
        var endless = options.stream
        endless.epochs = .max
        let stream = try BatchStream(
            dataset: dataset, masks: masks, options: endless, resources: streamResources)
        for step in 0..<Self.automaticSteps {
            guard let batch = try stream.next() else { return 0 }
            let terms = try trainer.step(LabelledBatch(batch, normalization), visitor: nil)
            guard terms.loss.isFinite else { throw Self.divergence(step: step) }
            lambda1Progress?(step + 1, Self.automaticStepCount)
        }
        // Two of them at once would be more than the training takes.
        trainer.releaseMemory()
        let loss = try ExplanationLoss(
            network: trainer.network, lambda1: 1, target: options.loss.penaltyTarget,
            attribution: options.loss.attribution.attribution(in: trainer.network),
            threadCount: options.threadCount)
        var unused: [Scalar] = []
        var crossEntropy = 0.0
        var penalty = 0.0
        var measured = 0
        // Every epoch meets an annotated sample, if the split has one; it may have none.
        for _ in 0..<max(stream.batchesPerEpoch, Self.automaticBatches) where measured < Self.automaticBatches
        {
            guard let batch = try stream.next() else { break }
            guard let annotated = try LabelledBatch(batch, normalization).annotated() else { continue }
            let terms = try loss.compute(
                annotated, at: trainer.parameters, dropout: nil, gradient: &unused, visitor: nil)
            crossEntropy += terms.crossEntropy
            penalty += terms.penalty ?? 0
            measured += 1
            lambda1Progress?(Self.automaticSteps + measured, Self.automaticStepCount)
        }
        guard measured > 0 else { return 0 }
        guard crossEntropy.isFinite, penalty.isFinite else {
            throw Self.divergence(step: Self.automaticSteps)
        }
        let chosen = min(
            max(crossEntropy / penalty, Self.automaticBounds.lowerBound), Self.automaticBounds.upperBound)
        // A sum is as many times the mean as there are samples in the batch.
        return options.loss.penaltyReduction == .sum
            ? chosen / Double(min(options.stream.batchSize, stream.samplesPerEpoch)) : chosen
    }

    private static func divergence(step: Int) -> TrainingError {
        .divergence(
            step: step,
            "the loss is no longer a finite number in the \(automaticSteps) steps of plain cross-entropy after which "
                + "\(option: .lambda1) auto is chosen")
    }
}
