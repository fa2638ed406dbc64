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
        if case .layer(let layer) = operation { productCount = layer.productCount }
        return NodeSummary(
            location: location, layer: kind, output: output.shape, isFlat: output.isFlat,
            parameterCount: parameterCount, operationCount: 2 * productCount)
    }
}
