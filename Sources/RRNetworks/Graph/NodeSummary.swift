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
    /// The nodes in the order in which they are computed.
    package var nodes: [NodeSummary] {
        graph.nodes.map { node in
            var (parameterCount, productCount) = (0, 0)
            if case .layer(let layer) = node.operation {
                (parameterCount, productCount) = (layer.parameterCount, layer.productCount)
            }
            let value = graph.values[node.output]
            return NodeSummary(
                location: node.location, layer: node.kind, output: value.shape, isFlat: value.isFlat,
                parameterCount: parameterCount, operationCount: 2 * productCount)
        }
    }
}
