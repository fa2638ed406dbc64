package import RRTensor

/// What a node of a network is, for people to look at.
package struct NodeSummary: Sendable {
    /// The layer by its position in the model: `layers[3].body[0]`.
    package let location: String
    /// The layer's name in `model.json`.
    package let layer: String
    package let output: ImageShape
    /// Whether the output is features without a place.
    package let isFlat: Bool
    package let parameterCount: Int
    /// The floating-point operations of a forward pass over one sample, a multiplication with its addition being two; those
    /// of convolutions and linear layers alone, beside which the others hardly count.
    package let operationCount: Int
    /// What the node computes.
    package let operation: Operation
    /// The values that the node reads: 0 is the network's input, n what the nth node gives.
    package let inputs: [Int]
    /// Whether it reads them as features without a place.
    package let readsFlat: Bool
    /// What the names of its parameters begin with.
    package let path: String

    package enum Operation: Sendable {
        case layer(LayerDescription)
        /// A factor for each channel, a parameter.
        case layerScale
        case sum, product, concatenation
    }
}

extension Network {
    /// The nodes of the model in the order in which they are computed.
    package var nodes: [NodeSummary] { graph.summaries }
}

extension LayerGraph.Node {
    var parameterCount: Int {
        guard case .layer(let layer) = operation else { return 0 }
        return layer.parameterCount
    }

    func summary(of output: LayerGraph.Value) -> NodeSummary {
        var productCount = 0
        let described: NodeSummary.Operation
        switch operation {
        case .layer(let layer):
            productCount = layer.productCount
            described = layer is LayerScaleLayer<Scalar> ? .layerScale : .layer(description)
        case .sum: described = .sum
        case .product: described = .product
        case .concatenation: described = .concatenation
        }
        return NodeSummary(
            location: location, layer: description.name, output: output.shape, isFlat: output.isFlat,
            parameterCount: parameterCount, operationCount: 2 * productCount, operation: described,
            inputs: inputs, readsFlat: readsFlat, path: path)
    }
}
