/// What the last pass has to compute of a graph, where only some parameters are trained: their own gradients, and the
/// adjoints of what depends on them.
///
/// The layers before the first that is trained take no part in the pass, those after it only hand adjoints on. What is
/// computed is the same to the byte as where all are trained.
package struct GradientDemand: Equatable, Sendable {
    /// By node: whether any of its parameters is trained.
    let nodes: [Bool]
    /// By node and part of its parameters: whether any of these is trained.
    let parts: [[Bool]]
    /// By value: whether its adjoint leads to a parameter that is trained.
    let values: [Bool]

    init<Scalar>(_ graph: LayerGraph<Scalar>, trained ranges: [Range<Int>]) {
        var values = graph.values.map { _ in false }
        parts = graph.nodes.map { node in
            node.parameterRanges.map { part in ranges.contains { $0.overlaps(part) } }
        }
        nodes = parts.map { $0.contains(true) }
        for (node, isTrained) in zip(graph.nodes, nodes) {
            values[node.output] = isTrained || node.inputs.contains { values[$0] }
        }
        self.values = values
    }
}

extension LayerGraph.Node {
    /// Where the parameters of each of its parts lie among all.
    fileprivate var parameterRanges: [Range<Int>] {
        guard case .layer(let layer) = operation else { return [] }
        var end = parameterOffset
        return layer.parameterParts.map { count in
            end += count
            return end - count..<end
        }
    }
}

extension Network {
    /// What a gradient costs that is wanted in some ranges of the parameters' flat list.
    package func gradientDemand(trained ranges: [Range<Int>]) -> GradientDemand {
        GradientDemand(graph, trained: ranges)
    }
}
