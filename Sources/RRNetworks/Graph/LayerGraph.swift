import RRTensor

/// A network as nodes in topological order, each of which computes one value from values before it.
///
/// Lists of layers, residual blocks, concatenations and gates are all of this form. Where a value has several readers,
/// the cotangents and the adjoints that come back through them add up.
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
        let operation: Operation
        /// The values that the node reads.
        let inputs: [Int]
        /// The value that it writes.
        let output: Int
        /// Where its parameters begin among all.
        let parameterOffset: Int
        /// The layer by its position in the model: `layers[3].body[0]`.
        let location: String
        /// The layer's name in `model.json`.
        let kind: String
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
    /// How what comes back from each node's output reaches its inputs.
    let returns: GraphReturns
    let adjoints: AdjointPlan

    /// The number of elements of all feature maps that are written for a sample.
    var featureCount: Int { nodes.reduce(0) { $0 + values[$1.output].shape.elementCount } }

    /// Whether training leaves out elements at random.
    var dropsOut: Bool {
        nodes.contains { if case .layer(let layer) = $0.operation { layer.dropsOut } else { false } }
    }
}
