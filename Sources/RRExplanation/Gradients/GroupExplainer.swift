internal import RRNetworks
internal import RRTensor

/// One worker's way to take groups of samples forward and back to the input, and to show what comes of each.
final class GroupExplainer<Scalar: NetworkScalar> {
    let pass: GroupPass<Scalar>
    /// The softmax of each sample of the group at hand.
    var softmaxes: [Softmax]
    /// One sample's logits and input gradient, to be shown.
    private var logits: [Scalar]
    private var gradient: [Scalar]

    init(network: Network<Scalar>, capacity: Int) {
        pass = GroupPass(network: network, capacity: capacity)
        softmaxes = Array(repeating: Softmax(classCount: network.model.classCount), count: capacity)
        logits = Array(repeating: 0, count: network.model.classCount)
        gradient = Array(repeating: 0, count: network.model.input.elementCount)
    }

    /// Takes samples of a batch to their logits and softmaxes.
    func forward(
        _ images: UnsafePointer<Float>, samples: ArraySlice<Int>, parameters: UnsafePointer<Scalar>,
        dropout: DropoutKey? = nil, identities: SharedElements<Int64>? = nil
    ) {
        pass.load(images, samples: samples, dropout: dropout, identities: identities)
        pass.forward(parameters)
        for column in 0..<samples.count {
            softmaxes[column].update(logits: pass.logits, column: column, of: pass.columnCount)
        }
    }

    /// Takes the samples back to their input gradients.
    func reverse(
        _ target: PenaltyTarget, samples: ArraySlice<Int>, labels: SharedElements<Int64>,
        parameters: UnsafePointer<Scalar>
    ) {
        for (column, sample) in samples.enumerated() {
            softmaxes[column].writeSeed(
                target, label: Int(labels[sample]), to: pass.logitCotangent, column: column,
                of: pass.columnCount)
        }
        pass.reverse(parameters)
    }

    /// Shows each sample, with its gradient where `reverse` has run.
    func show(
        _ samples: ArraySlice<Int>, labels: SharedElements<Int64>, hasGradient: Bool, worker: Int,
        to body: (ExplainedSample<Scalar>) -> Void
    ) {
        let count = pass.columnCount
        logits.withUnsafeMutableBufferPointer { logits in
            gradient.withUnsafeMutableBufferPointer { gradient in
                for (column, sample) in samples.enumerated() {
                    Transposition.read(column: column, of: count, from: pass.logits, into: logits)
                    if hasGradient {
                        Transposition.read(
                            column: column, of: count, from: pass.inputCotangent, into: gradient)
                    }
                    let label = Int(labels[sample])
                    body(
                        ExplainedSample(
                            position: sample, worker: worker, label: label,
                            logits: UnsafeBufferPointer(logits),
                            gradient: UnsafeBufferPointer(
                                rebasing: gradient[..<(hasGradient ? gradient.count : 0)]),
                            prediction: softmaxes[column].prediction,
                            crossEntropy: softmaxes[column].crossEntropy(label: label)))
                }
            }
        }
    }
}
