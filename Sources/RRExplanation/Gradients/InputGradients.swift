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
    /// The threads that find work in one group.
    private let pieceCount: Int

    /// - Parameters:
    ///   - network: the network that is explained.
    ///   - target: the quantity that is differentiated.
    ///   - threadCount: the number of threads; nil for one a processor core.
    public init(network: Network<Scalar>, target: PenaltyTarget = .sumLogProbability, threadCount: Int? = nil)
    {
        self.network = network
        self.target = target
        workers = Workers(count: threadCount)
        let capacity = network.groupLimits.largestGroup
        pieceCount = network.shareCount(sampleCount: capacity)
        let workspaces = Workspaces(network, capacity: capacity, count: workers.count)
        passes = (0..<min(workers.count, network.groupLimits.largestPlaceCount)).map { _ in
            GroupPass(network: network, capacity: capacity, workspaces: workspaces)
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
        let directions = SampleDraws(.projection, seed: 0, time: 0)
        parameters.values.withUnsafeBufferPointer { parameters in
            guard let parameters = parameters.baseAddress else { return }
            let memory = UncheckedSendable((passes, parameters))
            workers.run(parts: schedule.groups.count, places: passes.count, pieces: pieceCount) {
                group, place in
                let (passes, parameters) = memory.value
                let (pass, samples) = (passes[place.number], order[schedule.groups[group]])
                pass.place = place
                defer { pass.place = nil }
                pass.load(batch.images, samples: samples)
                pass.forward(parameters)
                if let target {
                    pass.reverse(
                        target, samples: samples, of: batch, directions: directions, parameters: parameters)
                }
                pass.show(
                    samples, labels: batch.labels, hasGradient: target != nil, worker: place.number, to: body)
            }
        }
    }
}

extension GroupPass {
    /// Takes the samples of the group back to their input gradients, from s = ∂T/∂z of the design's §5.
    ///
    /// - Parameters:
    ///   - target: T, the quantity that is differentiated.
    ///   - samples: the samples of the group, rows of the batch.
    ///   - directions: what those of `PenaltyTarget.logitJacobian` are drawn from.
    ///   - parameters: the network's.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    func reverse(
        _ target: PenaltyTarget, samples: ArraySlice<Int>, of batch: LabelledBatch,
        directions: SampleDraws, parameters: UnsafePointer<Scalar>
    ) {
        let (seeds, columnCount, labels) = (logitCotangent, columnCount, batch.labels)
        var direction = Array(
            repeating: 0.0, count: target == .logitJacobian ? network.model.classCount : 0)
        for (column, sample) in samples.enumerated() {
            let softmax = softmaxes[column]
            let classCount = Double(softmax.probabilities.count)
            if target == .logitJacobian {
                SampleDraws.writeDirection(
                    state: directions.state(sample: batch.indices?[sample] ?? Int64(sample)), to: &direction)
            }
            for (index, probability) in softmax.probabilities.enumerated() {
                let seed =
                    switch target {
                    case .sumLogProbability: 1 - classCount * probability
                    case .label: softmax.difference(from: Int(labels[sample]), at: index)
                    case .predicted: softmax.difference(from: softmax.prediction, at: index)
                    case .logitsSum: 1.0
                    case .logitJacobian: direction[index]
                    }
                seeds[index * columnCount + column] = Scalar(seed)
            }
        }
        reverse(parameters)
    }

    /// Shows each sample, with its gradient where `reverse` has run.
    func show(
        _ samples: ArraySlice<Int>, labels: SharedElements<Int64>, hasGradient: Bool, worker: Int,
        to body: (ExplainedSample<Scalar>) -> Void
    ) {
        let (classCount, elementCount) = (network.model.classCount, network.model.input.elementCount)
        withUnsafeTemporaryAllocation(of: Scalar.self, capacity: classCount + elementCount) { memory in
            let logits = UnsafeMutableBufferPointer(rebasing: memory[..<classCount])
            let gradient = UnsafeMutableBufferPointer(rebasing: memory[classCount...])
            for (column, sample) in samples.enumerated() {
                Transposition.read(column: column, of: columnCount, from: self.logits, into: logits)
                if hasGradient {
                    Transposition.read(column: column, of: columnCount, from: inputCotangent, into: gradient)
                }
                let label = Int(labels[sample])
                body(
                    ExplainedSample(
                        position: sample, worker: worker, label: label, logits: UnsafeBufferPointer(logits),
                        gradient: UnsafeBufferPointer(
                            rebasing: gradient[..<(hasGradient ? elementCount : 0)]),
                        prediction: softmaxes[column].prediction,
                        probabilities: softmaxes[column].probabilities,
                        crossEntropy: softmaxes[column].crossEntropy(label: label)))
            }
        }
    }
}

extension Softmax {
    /// (e_c − p)_k for a class c. Where it is 1 − p of one class, it is summed from the other classes: near certainty the
    /// difference would have lost its digits.
    func difference(from chosen: Int, at index: Int) -> Double {
        guard index == chosen else { return -probabilities[index] }
        var others = 0.0
        for other in probabilities.indices where other != chosen { others += probabilities[other] }
        return others
    }
}

/// One sample of a batch with what a network says of it; valid only during the call that passes it.
package struct ExplainedSample<Scalar: NetworkScalar> {
    /// The sample's row in the batch.
    package let position: Int
    /// A number below that of the threads; no two calls run at once under the same number.
    package let worker: Int
    package let label: Int
    package let logits: UnsafeBufferPointer<Scalar>
    /// The input gradient, (C, H, W); empty where it was not asked for.
    package let gradient: UnsafeBufferPointer<Scalar>
    /// The class with the largest logit.
    package let prediction: Int
    /// Softmax of the logits.
    package let probabilities: [Double]
    /// −log p of the label.
    package let crossEntropy: Double
}
