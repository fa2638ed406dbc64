/// What the last pass has to compute of a graph, where only some parameters are trained: their own gradients, and the
/// adjoints of what depends on them.
///
/// The layers before the first that is trained take no part in the pass, those after it only hand adjoints on. What is
/// computed is the same to the byte as where all are trained.
package struct GradientDemand: Equatable, Sendable {
    /// By node: whether any of its parameters is trained.
    let nodes: [Bool]
    /// By value: whether its adjoint leads to a parameter that is trained.
    let values: [Bool]

    init<Scalar>(_ graph: LayerGraph<Scalar>, trained ranges: [Range<Int>]) {
        var values = graph.values.map { _ in false }
        nodes = graph.nodes.map { node in
            let isTrained = ranges.contains { $0.overlaps(node.parameterRange) }
            values[node.output] = isTrained || node.inputs.contains { values[$0] }
            return isTrained
        }
        self.values = values
    }
}

extension LayerGraph.Node {
    /// Where its parameters lie among all.
    fileprivate var parameterRange: Range<Int> {
        guard case .layer(let layer) = operation else { return parameterOffset..<parameterOffset }
        return parameterOffset..<parameterOffset + layer.parameterCount
    }
}

extension Network {
    /// What a gradient costs that is wanted in some ranges of the parameters' flat list.
    package func gradientDemand(trained ranges: [Range<Int>]) -> GradientDemand {
        GradientDemand(graph, trained: ranges)
    }
}
