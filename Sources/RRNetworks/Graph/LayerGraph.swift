import RRTensor

/// A network as nodes in topological order, each of which computes one value from values before it.
///
/// Lists of layers, residual blocks, concatenations and gates are all of this form. Where a value has several readers,
/// the cotangents and the adjoints that come back through them add up. The nodes are what is computed, which is not always
/// what is described: two layers may be computed as one.
struct LayerGraph<Scalar: NetworkScalar>: Sendable {
    /// What a node does with its inputs.
    enum Operation: Sendable {
        /// A layer, of one input.
        case layer(any Layer<Scalar>)
        /// z = a + b.
        case sum
        /// The channels of all inputs, one input's after the other's.
        case concatenation
        /// z = a ∘ b, b with a value for each element of a or for each channel.
        case product(HadamardProduct)
    }

    struct Node: Sendable {
        var operation: Operation
        /// The values that the node reads.
        var inputs: [Int]
        /// The value that it writes.
        var output: Int
        /// Where its parameters begin among all.
        let parameterOffset: Int
        /// The layer by its position in the model: `layers[3].body[0]`.
        let location: String
        /// The layer, without its name, or the block or graph that the node joins values for.
        let description: LayerDescription
        /// What the names of its parameters begin with.
        let path: String
        /// Whether it reads its inputs as features without a place.
        let readsFlat: Bool
    }

    /// A value's shape, and whether it is features without a place.
    struct Value: Sendable {
        let shape: ImageShape
        let isFlat: Bool
    }

    let nodes: [Node]
    /// The input of the graph comes first; each node has written one more.
    let values: [Value]
    /// The value that is the graph's output.
    let output: Int
    /// Whether the output, as it is read, is features without a place.
    let isFlat: Bool
    let inputShape: ImageShape
    let outputShape: ImageShape
    /// The parameters of all nodes in the order in which they lie in memory, named as PyTorch names them.
    let parameters: [ParameterSpecification]
    /// Where the parameters of the last layer that has any begin.
    let headStart: Int
    /// The nodes as the model describes them, one a layer or block.
    let summaries: [NodeSummary]
    /// The number of elements of all feature maps that the model describes, for a sample.
    let featureCount: Int
    /// How what comes back from each node's output reaches its inputs.
    let returns: GraphReturns
    /// The nodes, as far as memory is concerned.
    let memoryNodes: [MemoryPlan.Node]
    /// Where maps lie, where none is computed again for want of memory.
    let wholePlan: MemoryPlan
    /// The entries of the model's list of layers. Where one is computed with the next, which then continues it, the value is
    /// the next one's.
    let stages: [Stage]

    /// Where maps lie.
    func memoryPlan(_ segments: GraphSegments) -> MemoryPlan {
        guard segments.count > 1 else { return wholePlan }
        return MemoryPlan(
            nodes: memoryNodes, segments: segments, returns: returns, output: output,
            elementCounts: values.map(\.shape.elementCount))
    }

    /// Whether training leaves out elements at random.
    var dropsOut: Bool {
        nodes.contains { if case .layer(let layer) = $0.operation { layer.dropsOut } else { false } }
    }
}

extension LayerGraph.Node {
    /// What the passes after the first want of its maps.
    var needs: LayerNeeds {
        switch operation {
        case .layer(let layer): layer.needs
        case .sum, .concatenation: []
        case .product: [.product, .inputBetween]
        }
    }

    /// Whether the value and the tangent may be written where those of an input are that no one else wants.
    var worksInPlace: Bool {
        switch operation {
        case .layer(let layer): layer.worksInPlace
        case .sum: true
        case .concatenation, .product: false
        }
    }

    var isConcatenation: Bool { if case .concatenation = operation { true } else { false } }
}
