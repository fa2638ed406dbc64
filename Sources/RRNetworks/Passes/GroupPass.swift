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
///
/// Where the explanation is about a feature map, that map stands in the input's place for `reverse`, `tangent` and the second
/// order of `gradient`: `explained` is what is read and filled then.
package final class GroupPass<Scalar: NetworkScalar> {
    /// The columns of the matrices at hand: the samples of the group and, where vectors run over samples, idle ones up to
    /// full vectors. An idle column repeats the last image, and its seeds are zero: it adds nothing to a gradient.
    package var columnCount: Int { group.sampleCount }
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
    /// The group at hand, with the owner of the memory above.
    private var group: LayerGraph<Scalar>.Group
    /// What dropout draws each sample's masks from, where the group is one of a training step.
    private let dropoutStates: Buffer<UInt64>
    /// What the last pass is to compute: the gradients of all parameters, where a caller wants no less.
    package var demand: GradientDemand {
        get { group.demand }
        set { group.demand = newValue }
    }
    /// What the explanation is about: the input, or a feature map.
    package var explained: ExplainedMap<Scalar> {
        guard let features = group.features else {
            return ExplainedMap(
                shape: graph.inputShape, values: UnsafePointer(input), cotangent: inputCotangent,
                tangent: inputTangent,
                adjoint: nil)
        }
        return ExplainedMap(
            shape: features.map.shape, values: UnsafePointer(features.values),
            cotangent: UnsafePointer(group.memory.cotangent(features.map.value, sampleCount: columnCount)),
            tangent: features.tangent, adjoint: features.adjoint)
    }
    /// Where other threads may help; nil where there are none.
    package var place: WorkPlace? {
        get { group.place }
        set { group.place = newValue }
    }
    private var sampleCount = 0

    /// - Parameters:
    ///   - capacity: the largest number of samples in a group.
    ///   - workspaces: of all threads that may help, made for groups as large; nil where none will.
    ///   - features: the feature map that the explanation is about; nil for the input.
    package init(
        network: Network<Scalar>, capacity: Int, workspaces: Workspaces<Scalar>? = nil,
        features: FeatureMap? = nil
    ) {
        let workspaces = workspaces ?? Workspaces(network, capacity: capacity, count: 1)
        softmaxes = Array(repeating: Softmax(classCount: network.model.classCount), count: capacity)
        limits = network.groupLimits
        let capacity = limits.columnCount(for: capacity)
        self.network = network
        let graph = network.graph
        self.graph = graph
        let memory = GraphMemory(graph, network.segments, capacity: capacity)
        group = LayerGraph<Scalar>.Group(
            memory: memory, demand: network.gradientDemand(trained: network.parameterLayout.trainedRanges()),
            features: features.map { FeatureMemory($0, in: graph, capacity: capacity) },
            workspaces: workspaces, fixedShareCount: limits.fixedShareCount, isExact: network.isExact)
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
        let columnCount = limits.columnCount(for: samples.count)
        group.sampleCount = columnCount
        if columnCount > samples.count {
            inputTangent.clear(count: graph.inputShape.elementCount * columnCount)
            logitCotangent.clear(count: graph.outputShape.elementCount * columnCount)
            logitAdjoint.clear(count: graph.outputShape.elementCount * columnCount)
        }
        group.dropoutStates = nil
        if let dropout, graph.dropsOut {
            dropoutStates.start.clear(count: columnCount)
            for (column, sample) in samples.enumerated() {
                dropoutStates.start[column] = dropout.state(sample: identities?[sample] ?? Int64(sample))
            }
            group.dropoutStates = UnsafePointer(dropoutStates.start)
        }
        images.withUnsafeBufferPointer { images in
            Transposition.write(
                images: images, elementCount: graph.inputShape.elementCount, samples: samples,
                columnCount: columnCount, into: input)
        }
    }

    package func forward(_ parameters: UnsafePointer<Scalar>) {
        graph.forward(group, at: parameters)
        for column in 0..<sampleCount {
            softmaxes[column].update(logits: logits, column: column, of: columnCount)
        }
    }

    package func reverse(_ parameters: UnsafePointer<Scalar>) {
        graph.reverse(group, at: parameters)
    }

    package func tangent(_ parameters: UnsafePointer<Scalar>) {
        graph.tangent(group, at: parameters)
    }

    /// - Parameters:
    ///   - isSecondOrder: whether `reverse` and `tangent` have run for this group, so that the penalty has its part in the
    ///     gradient.
    ///   - gathering: where what some layers' parts are made of is kept in place of these parts, and the row of the group's
    ///     first sample there; nil for the whole gradient.
    package func gradient(
        _ parameters: UnsafePointer<Scalar>, isSecondOrder: Bool,
        gathering: (maps: GatheredMaps<Scalar>, firstRow: Int)? = nil,
        addingTo parameterGradient: UnsafeMutablePointer<Scalar>
    ) {
        group.gathering = gathering
        graph.gradient(
            group, at: parameters, isSecondOrder: isSecondOrder, addingTo: parameterGradient)
    }
}

/// The map that an explanation is about, (elements, columns) of the group at hand.
package struct ExplainedMap<Scalar> {
    package let shape: ImageShape
    package let values: UnsafePointer<Scalar>
    /// After `reverse`: the gradient of the target.
    package let cotangent: UnsafePointer<Scalar>
    /// To be filled before `tangent`.
    package let tangent: UnsafeMutablePointer<Scalar>
    /// To be filled before `gradient` with what is added to the adjoint of the map; nil for the input, which has none.
    package let adjoint: UnsafeMutablePointer<Scalar>?
}

extension ExplainedMap where Scalar: NetworkScalar {
    /// Fills the tangent with scale times the cotangent where the mask is not 0, and adds the squares of the cotangent there to
    /// each column's sum. What is not finite outside the mask stays outside.
    ///
    /// - Parameter masks: one element for each of the map's.
    package func fillTangent(
        masks: UnsafePointer<Scalar>, columnCount: Int, scale: Scalar,
        addingSquaresTo sums: UnsafeMutableBufferPointer<Double>
    ) {
        Scalar.kernels.elements.mask(
            cotangent, masks, scale, tangent, sums.baseAddress, shape.elementCount, columnCount)
    }
}

extension UnsafeMutablePointer where Pointee: BitwiseCopyable {
    /// Sets elements to zero, which is all bits zero.
    package func clear(count: Int) {
        UnsafeMutableRawPointer(self).initializeMemory(
            as: UInt8.self, repeating: 0, count: count * MemoryLayout<Pointee>.stride)
    }
}
