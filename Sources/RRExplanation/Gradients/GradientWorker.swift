internal import RRNetworks
internal import RRTensor

/// One worker of `InputGradients`: it takes groups of samples forward and back to the input.
final class GradientWorker<Scalar: NetworkScalar> {
    private let pass: GroupPass<Scalar>
    private var softmax: Softmax
    private var logits: [Scalar]
    private var gradient: [Scalar]

    init(network: Network<Scalar>) {
        pass = GroupPass(network: network, capacity: network.groupLimits.largestGroup)
        softmax = Softmax(classCount: network.model.classCount)
        logits = Array(repeating: 0, count: network.model.classCount)
        gradient = Array(repeating: 0, count: network.model.input.elementCount)
    }

    func run(
        _ images: UnsafePointer<Float>, samples: ArraySlice<Int>, labels: [Int64],
        parameters: UnsafePointer<Scalar>, target: PenaltyTarget?, worker: Int,
        _ body: (ExplainedSample<Scalar>) -> Void
    ) {
        pass.load(images, samples: samples)
        pass.forward(parameters)
        if let target {
            for (column, sample) in samples.enumerated() {
                softmax.update(logits: pass.logits, column: column, of: pass.columnCount)
                softmax.writeSeed(
                    target, label: Int(labels[sample]), to: pass.logitCotangent, column: column,
                    of: pass.columnCount)
            }
            pass.reverse(parameters)
        }
        let hasGradient = target != nil
        let count = pass.columnCount
        logits.withUnsafeMutableBufferPointer { logits in
            gradient.withUnsafeMutableBufferPointer { gradient in
                for (column, sample) in samples.enumerated() {
                    softmax.update(logits: pass.logits, column: column, of: count)
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
                            prediction: softmax.prediction,
                            crossEntropy: softmax.crossEntropy(label: label)))
                }
            }
        }
    }
}
