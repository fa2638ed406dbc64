package import RRTensor

/// The four passes of a network over one group of samples, in memory that is used again for the next group.
///
/// Every matrix here is row-major with one column a sample: the input is (C · H · W, samples), the logits are
/// (classes, samples). A caller fills a seed and runs the pass that starts from it:
///
/// | seed | pass | result |
/// |---|---|---|
/// | `input` | `forward` | `logits` and `softmaxes` |
/// | `logitCotangent` | `reverse` | `inputCotangent`: the gradient with respect to the input |
/// | `inputTangent` | `tangent` | `logitTangent` |
/// | `logitAdjoint` | `gradient` | the parameter gradient, added |
package final class GroupPass<Scalar: NetworkScalar> {
    /// The columns of the matrices at hand: the samples of the group, and idle ones up to full vectors. An idle
    /// column repeats the last image, and its seeds are zero: it adds nothing to a gradient.
    package private(set) var columnCount = 0
    /// The softmax of each sample of the group.
    package private(set) var softmaxes: [Softmax]

    package let input: UnsafeMutablePointer<Scalar>
    package let logits: UnsafePointer<Scalar>
    package let logitCotangent: UnsafeMutablePointer<Scalar>
    package let inputCotangent: UnsafePointer<Scalar>
    package let inputTangent: UnsafeMutablePointer<Scalar>
    package let logitTangent: UnsafePointer<Scalar>
    package let logitAdjoint: UnsafeMutablePointer<Scalar>

    package let network: Network<Scalar>
    private let stack: LayerStack<Scalar>
    private let scratch: LayerScratch<Scalar>
    /// The owners of the memory above.
    private let inputs: FeatureBuffers<Scalar>
    private let outputs: FeatureBuffers<Scalar>
    private let adjoint: Buffer<Scalar>
    private let point: LayerPoint<Scalar>
    /// What dropout draws each sample's masks from, where the group is one of a training step.
    private let dropoutStates: Buffer<UInt64>
    private var isTraining = false
    private var sampleCount = 0

    /// - Parameter capacity: the largest number of samples in a group.
    package init(network: Network<Scalar>, capacity: Int) {
        softmaxes = Array(repeating: Softmax(classCount: network.model.classCount), count: capacity)
        let capacity = Self.columnCount(for: capacity)
        self.network = network
        stack = network.stack
        scratch = stack.makeScratch(capacity: capacity)
        inputs = FeatureBuffers(count: stack.inputShape.elementCount * capacity)
        outputs = FeatureBuffers(count: stack.outputShape.elementCount * capacity)
        adjoint = Buffer(count: stack.outputShape.elementCount * capacity)
        dropoutStates = Buffer(count: capacity)
        input = inputs.value.start
        logits = UnsafePointer(outputs.value.start)
        logitCotangent = outputs.cotangent.start
        inputCotangent = UnsafePointer(inputs.cotangent.start)
        inputTangent = inputs.tangent.start
        logitTangent = UnsafePointer(outputs.tangent.start)
        logitAdjoint = adjoint.start
        point = LayerPoint(input: UnsafePointer(inputs.value.start), output: logits)
    }

    /// Begins a group: fills `input` with images of the batch, one a column.
    ///
    /// - Parameters:
    ///   - images: the batch, (N, C, H, W).
    ///   - samples: the rows of the batch that make up the group.
    ///   - dropout: the training step; nil outside training.
    ///   - identities: what dropout knows each sample of the batch by; nil for its row.
    package func load(
        _ images: SharedElements<Float>, samples: ArraySlice<Int>, dropout: DropoutKey? = nil,
        identities: SharedElements<Int64>? = nil
    ) {
        sampleCount = samples.count
        columnCount = Self.columnCount(for: samples.count)
        if columnCount > samples.count {
            inputTangent.clear(count: stack.inputShape.elementCount * columnCount)
            logitCotangent.clear(count: stack.outputShape.elementCount * columnCount)
            logitAdjoint.clear(count: stack.outputShape.elementCount * columnCount)
        }
        isTraining = false
        if let dropout, stack.dropsOut {
            isTraining = true
            dropoutStates.start.clear(count: columnCount)
            for (column, sample) in samples.enumerated() {
                dropoutStates.start[column] = dropout.state(sample: identities?[sample] ?? Int64(sample))
            }
        }
        images.withUnsafeBufferPointer { images in
            Transposition.write(
                images, elementCount: stack.inputShape.elementCount, samples: samples,
                columnCount: columnCount, into: input)
        }
    }

    package func forward(_ parameters: UnsafePointer<Scalar>) {
        stack.forward(group(parameters), input: UnsafePointer(input), output: outputs.value.start)
        for column in 0..<sampleCount {
            softmaxes[column].update(logits: logits, column: column, of: columnCount)
        }
    }

    package func reverse(_ parameters: UnsafePointer<Scalar>) {
        stack.reverse(
            group(parameters), at: point, outputCotangent: UnsafePointer(logitCotangent),
            inputCotangent: inputs.cotangent.start)
    }

    package func tangent(_ parameters: UnsafePointer<Scalar>) {
        stack.tangent(
            group(parameters), at: point, inputTangent: UnsafePointer(inputTangent),
            outputTangent: outputs.tangent.start)
    }

    /// - Parameter isSecondOrder: whether `reverse` and `tangent` have run for this group, so that the penalty
    ///   has its part in the gradient.
    package func gradient(
        _ parameters: UnsafePointer<Scalar>, isSecondOrder: Bool,
        addingTo parameterGradient: UnsafeMutablePointer<Scalar>
    ) {
        let secondOrder = SecondOrder(
            outputCotangent: UnsafePointer(logitCotangent), inputTangent: UnsafePointer(inputTangent))
        stack.gradient(
            group(parameters), at: point, secondOrder: isSecondOrder ? secondOrder : nil,
            outputAdjoint: UnsafePointer(logitAdjoint), inputAdjoint: nil,
            parameterGradient: parameterGradient)
    }

    private func group(_ parameters: UnsafePointer<Scalar>) -> LayerGroup<Scalar> {
        LayerGroup(
            sampleCount: columnCount, parameters: parameters, scratch: scratch,
            dropoutStates: isTraining ? UnsafePointer(dropoutStates.start) : nil)
    }
}

extension GroupPass {
    /// Half of the lanes of the widest vector that any kernel uses.
    private static var lanes: Int { 8 }

    private static func columnCount(for sampleCount: Int) -> Int { (sampleCount + lanes - 1) / lanes * lanes }
}

extension UnsafeMutablePointer where Pointee: BitwiseCopyable {
    /// Sets elements to zero, which is all bits zero.
    package func clear(count: Int) {
        UnsafeMutableRawPointer(self).initializeMemory(
            as: UInt8.self, repeating: 0, count: count * MemoryLayout<Pointee>.stride)
    }
}
