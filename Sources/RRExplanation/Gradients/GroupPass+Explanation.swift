package import RRNetworks
internal import RRTensor

extension GroupPass {
    /// Takes the samples of the group back to their input gradients, from s = ∂T/∂z of the design's §5.
    ///
    /// - Parameters:
    ///   - target: T, the quantity that is differentiated.
    ///   - samples: the samples of the group, rows of the batch.
    ///   - labels: those of the batch.
    ///   - parameters: the network's.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    func reverse(
        _ target: PenaltyTarget, samples: ArraySlice<Int>, labels: SharedElements<Int64>,
        parameters: UnsafePointer<Scalar>
    ) {
        let (seeds, columnCount) = (logitCotangent, columnCount)
        for (column, sample) in samples.enumerated() {
            let softmax = softmaxes[column]
            let classCount = Double(softmax.probabilities.count)
            for (index, probability) in softmax.probabilities.enumerated() {
                let seed =
                    switch target {
                    case .sumLogProbability: 1 - classCount * probability
                    case .label: softmax.difference(from: Int(labels[sample]), at: index)
                    case .predicted: softmax.difference(from: softmax.prediction, at: index)
                    case .logitsSum: 1.0
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
    /// The number of the thread that makes the call; no two calls run at once under the same number.
    package let worker: Int
    package let label: Int
    package let logits: UnsafeBufferPointer<Scalar>
    /// The input gradient, (C, H, W); empty where it was not asked for.
    package let gradient: UnsafeBufferPointer<Scalar>
    /// The class with the largest logit.
    package let prediction: Int
    /// −log p of the label.
    package let crossEntropy: Double
}
