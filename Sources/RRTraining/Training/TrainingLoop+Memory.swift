internal import RRDatasets
internal import RRExplanation
internal import RRFormats
internal import RRNetworks
internal import RRStreaming
internal import RRTensor

/// What a training takes in memory, and how a limit is kept.
extension TrainingLoop {
    /// The stream's part: as much as it likes, or four batches where there is a limit.
    var streamResources: StreamResources {
        StreamResources(memory: options.memoryLimit.map { _ in max(4 * batchBytes, Self.leastStream) })
    }

    /// Bounds what a network takes in training to the limit, where there is one.
    ///
    /// - Throws: `TrainingError` with the code `invalidOption` where the limit is too small; it names the smallest.
    func bound<Scalar: NetworkScalar>(_ network: inout Network<Scalar>) throws(TrainingError) {
        guard let limit = options.memoryLimit else { return }
        let training = memory(with: network)
        guard network.bound(training, to: limit) else {
            throw TrainingError(
                .invalidOption, .option(.memoryLimit),
                "must be at least \((network.byteCount(training) + (1 << 20) - 1) >> 20)M (of 2²⁰ bytes): less does not "
                    + "hold the model and \(network.groupLimits.largestGroup) of its samples, nor batches of "
                    + "\(options.stream.batchSize)")
        }
    }

    /// What the training takes, where it is much or there is a limit.
    ///
    /// - Throws: `TrainingError` with the code `invalidOption`, as `bound(_:)`.
    func memoryNote() throws(TrainingError) -> Message? {
        func note<Scalar: NetworkScalar>(_: Scalar.Type) throws(TrainingError) -> Message? {
            // A fault of the model is told where it is trained.
            guard var network = try? Network<Scalar>(options.model) else { return nil }
            try bound(&network)
            let bytes = network.byteCount(memory(with: network))
            guard options.memoryLimit != nil || bytes >= 1 << 30 else { return nil }
            let segments = network.segments.count
            let again: Message =
                segments > 1
                ? ", feature maps being computed again in \(segments) segments of the network" : ""
            return "training takes about \((bytes + (1 << 20) - 1) >> 20)M of memory (of 2²⁰ bytes)\(again)"
        }
        return switch options.precision {
        case .float: try note(Float.self)
        case .double: try note(Double.self)
        }
    }

    private func memory<Scalar: NetworkScalar>(with network: Network<Scalar>) -> TrainingMemory {
        let isAutomatic = options.loss.lambda1 == .automatic
        let streams =
            (options.memoryLimit == nil ? 2 * batchBytes : streamResources.memory ?? 0)
            * (options.validation == nil ? 1 : 2)
        return TrainingMemory(
            sampleCount: largestBatch, threadCount: options.threadCount,
            hasPenalty: (masks != nil || options.loss.guidance == .inputGradient)
                && options.loss.lambda1 != .value(0),
            features: (try? options.loss.attribution.attribution(in: network))?.features,
            // To choose λ1, another set of parameters and another gradient are there beside those of a training.
            momentCount: options.optimization.momentCount + (isAutomatic ? 2 : 0),
            keepsGradient: options.optimization.largestNorm != nil, isMeasured: options.validation != nil,
            otherBytes: Self.program + streams + batchBytes)
    }

    /// Images as numbers, masks, labels and indices of a batch.
    private var batchBytes: Int {
        let largest = max(options.model.input.elementCount, dataset.imageShape.elementCount)
        return largestBatch * (5 * largest + 64)
    }

    private var largestBatch: Int { max(min(options.stream.batchSize, dataset.sampleCount), 1) }

    private static let leastStream = 16 << 20
    /// The program, its libraries, and images on their way through the decoders.
    private static let program = 96 << 20
}

extension OptimizationOptions {
    /// The values that the optimiser keeps for each parameter.
    fileprivate var momentCount: Int {
        switch optimizer {
        case .sgd: momentum > 0 ? 1 : 0
        case .adam, .adamw: 2
        }
    }
}
