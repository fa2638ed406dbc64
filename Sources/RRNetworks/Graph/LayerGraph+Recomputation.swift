/// The four passes, segment by segment: what a segment's pass wants of passes before is computed again where another
/// segment's maps have taken its place.
extension LayerGraph {
    func forward(_ group: Group, at parameters: UnsafePointer<Scalar>) {
        let memory = group.memory
        for (index, nodes) in memory.segments.nodes.enumerated() {
            forward(through: nodes, group, at: parameters)
            memory.held = HeldMaps(values: index)
        }
    }

    func reverse(_ group: Group, at parameters: UnsafePointer<Scalar>) {
        let memory = group.memory
        for (index, nodes) in memory.segments.nodes.enumerated().reversed() {
            hold(index, group, parameters)
            reverse(through: nodes, group, at: parameters)
            memory.held.cotangents = index
        }
    }

    func tangent(_ group: Group, at parameters: UnsafePointer<Scalar>) {
        let memory = group.memory
        for (index, nodes) in memory.segments.nodes.enumerated() {
            hold(index, group, parameters)
            tangent(through: nodes, group, at: parameters)
            memory.held.tangents = index
        }
    }

    /// Adds the parameter gradient.
    ///
    /// - Parameter isSecondOrder: whether `reverse` and `tangent` have run for this group.
    func gradient(
        _ group: Group, at parameters: UnsafePointer<Scalar>, isSecondOrder: Bool,
        addingTo parameterGradient: UnsafeMutablePointer<Scalar>
    ) {
        let memory = group.memory
        for (index, range) in memory.segments.nodes.enumerated().reversed()
        where nodes[range].contains(where: { group.demand.values[$0.output] }) {
            hold(index, group, parameters)
            if isSecondOrder, memory.held.cotangents != index {
                reverse(through: range, group, at: parameters)
                memory.held.cotangents = index
            }
            if isSecondOrder, memory.held.tangents != index {
                tangent(through: range, group, at: parameters)
                memory.held.tangents = index
            }
            gradient(
                through: range, group, at: parameters, isSecondOrder: isSecondOrder,
                addingTo: parameterGradient)
        }
    }

    /// Computes the values of a segment again, if another's lie in their place.
    private func hold(_ index: Int, _ group: Group, _ parameters: UnsafePointer<Scalar>) {
        guard group.memory.held.values != index else { return }
        forward(through: group.memory.segments.nodes[index], group, at: parameters)
        group.memory.held.values = index
    }
}

/// The segment whose maps of each kind lie in the memory that segments share.
struct HeldMaps {
    var values: Int?
    var cotangents: Int?
    var tangents: Int?
}
