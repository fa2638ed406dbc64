public import RRNetworks
internal import RRTensor

/// Logits and input gradients of batches of images: what `evaluate` measures and masks are made from.
///
/// One caller at a time uses it; it keeps its memory from batch to batch.
public final class InputGradients<Scalar: NetworkScalar> {
    public let network: Network<Scalar>
    public let target: PenaltyTarget

    private let workers: Workers
    private let passes: [GroupPass<Scalar>]

    /// - Parameters:
    ///   - network: the network that is explained.
    ///   - target: the quantity that is differentiated.
    ///   - threadCount: the number of threads; nil for one a processor core.
    public init(network: Network<Scalar>, target: PenaltyTarget = .sumLogProbability, threadCount: Int? = nil)
    {
        self.network = network
        self.target = target
        workers = Workers(count: threadCount)
        passes = (0..<workers.count).map { _ in
            GroupPass(network: network, capacity: network.groupLimits.largestGroup)
        }
    }

    /// Computes the logits (N, K) and the input gradients (N, C, H, W) of a batch, row-major.
    ///
    /// - Throws: `ExplanationError` with the code `batchMismatch` or `labelOutOfRange`.
    public func compute(
        _ batch: LabelledBatch, at parameters: Parameters<Scalar>
    ) throws(ExplanationError) -> (logits: [Scalar], gradients: [Scalar]) {
        let classCount = network.model.classCount
        let elementCount = network.model.input.elementCount
        var logits = Array(repeating: Scalar.zero, count: batch.count * classCount)
        var gradients = Array(repeating: Scalar.zero, count: batch.count * elementCount)
        try logits.withUnsafeMutableBufferPointer { logits throws(ExplanationError) in
            try gradients.withUnsafeMutableBufferPointer { gradients throws(ExplanationError) in
                let outputs = UncheckedSendable((logits, gradients))
                try forEachSample(of: batch, at: parameters, withGradient: true) { sample in
                    let (logits, gradients) = outputs.value
                    for (index, logit) in sample.logits.enumerated() {
                        logits[sample.position * classCount + index] = logit
                    }
                    for (index, element) in sample.gradient.enumerated() {
                        gradients[sample.position * elementCount + index] = element
                    }
                }
            }
        }
        return (logits, gradients)
    }

    /// Calls `body` once for each sample of the batch, from several threads at once.
    ///
    /// - Parameter withGradient: whether the input gradient is wanted; without, it is empty.
    /// - Throws: `ExplanationError` with the code `batchMismatch` or `labelOutOfRange`.
    package func forEachSample(
        of batch: LabelledBatch, at parameters: Parameters<Scalar>, withGradient: Bool,
        _ body: @Sendable (ExplainedSample<Scalar>) -> Void
    ) throws(ExplanationError) {
        try batch.check(against: network.model.input, classCount: network.model.classCount)
        let schedule = GroupSchedule(sampleCount: batch.count, limits: network.groupLimits)
        let order = Array(0..<batch.count)
        let target = withGradient ? self.target : nil
        parameters.values.withUnsafeBufferPointer { parameters in
            guard let parameters = parameters.baseAddress else { return }
            let memory = UncheckedSendable((passes, parameters))
            workers.run(parts: schedule.groups.count) { worker, group in
                let (passes, parameters) = memory.value
                let (pass, samples) = (passes[worker], order[schedule.groups[group]])
                pass.load(batch.images, samples: samples)
                pass.forward(parameters)
                if let target {
                    pass.reverse(target, samples: samples, labels: batch.labels, parameters: parameters)
                }
                pass.show(
                    samples, labels: batch.labels, hasGradient: target != nil, worker: worker, to: body)
            }
        }
    }
}
