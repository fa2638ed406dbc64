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
    /// The columns of the matrices at hand: the samples of the group and, where vectors run over samples, idle ones up to
    /// full vectors. An idle column repeats the last image, and its seeds are zero: it adds nothing to a gradient.
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
    private let graph: LayerGraph<Scalar>
    private let limits: GroupLimits
    /// The owner of the memory above.
    private let memory: GraphMemory<Scalar>
    /// What dropout draws each sample's masks from, where the group is one of a training step.
    private let dropoutStates: Buffer<UInt64>
    private var isTraining = false
    private var sampleCount = 0

    /// - Parameter capacity: the largest number of samples in a group.
    package init(network: Network<Scalar>, capacity: Int) {
        softmaxes = Array(repeating: Softmax(classCount: network.model.classCount), count: capacity)
        limits = network.groupLimits
        let capacity = limits.columnCount(for: capacity)
        self.network = network
        graph = network.graph
        memory = GraphMemory(graph, capacity: capacity)
        dropoutStates = Buffer(count: capacity)
        // The output's memory is all its own, and so is the input's.
        input = memory.value(0)
        logits = UnsafePointer(memory.value(graph.output))
        logitCotangent = memory.cotangent(graph.output, sampleCount: 0)
        inputCotangent = UnsafePointer(memory.cotangent(0, sampleCount: 0))
        inputTangent = memory.tangent(0)
        logitTangent = UnsafePointer(memory.tangent(graph.output))
        logitAdjoint = memory.adjoint(graph.output, sampleCount: 0)
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
        columnCount = limits.columnCount(for: samples.count)
        if columnCount > samples.count {
            inputTangent.clear(count: graph.inputShape.elementCount * columnCount)
            logitCotangent.clear(count: graph.outputShape.elementCount * columnCount)
            logitAdjoint.clear(count: graph.outputShape.elementCount * columnCount)
        }
        isTraining = false
        if let dropout, graph.dropsOut {
            isTraining = true
            dropoutStates.start.clear(count: columnCount)
            for (column, sample) in samples.enumerated() {
                dropoutStates.start[column] = dropout.state(sample: identities?[sample] ?? Int64(sample))
            }
        }
        images.withUnsafeBufferPointer { images in
            Transposition.write(
                images, elementCount: graph.inputShape.elementCount, samples: samples,
                columnCount: columnCount, into: input)
        }
    }

    package func forward(_ parameters: UnsafePointer<Scalar>) {
        graph.forward(group(parameters))
        for column in 0..<sampleCount {
            softmaxes[column].update(logits: logits, column: column, of: columnCount)
        }
    }

    package func reverse(_ parameters: UnsafePointer<Scalar>) {
        graph.reverse(group(parameters))
    }

    package func tangent(_ parameters: UnsafePointer<Scalar>) {
        graph.tangent(group(parameters))
    }

    /// - Parameter isSecondOrder: whether `reverse` and `tangent` have run for this group, so that the penalty
    ///   has its part in the gradient.
    package func gradient(
        _ parameters: UnsafePointer<Scalar>, isSecondOrder: Bool,
        addingTo parameterGradient: UnsafeMutablePointer<Scalar>
    ) {
        graph.gradient(group(parameters), isSecondOrder: isSecondOrder, addingTo: parameterGradient)
    }

    private func group(_ parameters: UnsafePointer<Scalar>) -> LayerGraph<Scalar>.Group {
        LayerGraph<Scalar>.Group(
            sampleCount: columnCount, parameters: parameters, memory: memory,
            dropoutStates: isTraining ? UnsafePointer(dropoutStates.start) : nil)
    }
}

extension UnsafeMutablePointer where Pointee: BitwiseCopyable {
    /// Sets elements to zero, which is all bits zero.
    package func clear(count: Int) {
        UnsafeMutableRawPointer(self).initializeMemory(
            as: UInt8.self, repeating: 0, count: count * MemoryLayout<Pointee>.stride)
    }
}
