/// The four passes, segment by segment: what a segment's pass wants of passes before is computed again where another
/// segment's maps have taken its place.
extension LayerGraph {
    func forward(_ group: Group, at parameters: UnsafePointer<Scalar>) {
        for index in group.memory.plan.segments.nodes.indices { computeValues(index, group, parameters) }
    }

    func reverse(_ group: Group, at parameters: UnsafePointer<Scalar>) {
        for index in group.memory.plan.segments.nodes.indices.reversed() {
            hold(index, group, parameters)
            computeCotangents(index, group, parameters)
        }
    }

    func tangent(_ group: Group, at parameters: UnsafePointer<Scalar>) {
        for index in group.memory.plan.segments.nodes.indices {
            hold(index, group, parameters)
            computeTangents(index, group, parameters)
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
        for (index, range) in memory.plan.segments.nodes.enumerated().reversed()
        where nodes[range].contains(where: { group.demand.values[$0.output] }) {
            hold(index, group, parameters)
            if isSecondOrder, memory.held.cotangents != index { computeCotangents(index, group, parameters) }
            if isSecondOrder, memory.held.tangents != index { computeTangents(index, group, parameters) }
            gradient(
                through: range, group, at: parameters, isSecondOrder: isSecondOrder,
                addingTo: parameterGradient)
        }
    }

    /// Computes the values of a segment again, if another's lie in their place.
    private func hold(_ index: Int, _ group: Group, _ parameters: UnsafePointer<Scalar>) {
        if group.memory.held.values != index { computeValues(index, group, parameters) }
    }

    /// Maps of one segment share memory, each pass's with those of passes before that it does not read: what is held of
    /// later passes is gone.
    private func computeValues(_ index: Int, _ group: Group, _ parameters: UnsafePointer<Scalar>) {
        forward(through: group.memory.plan.segments.nodes[index], group, at: parameters)
        group.memory.held = HeldMaps(values: index)
    }

    private func computeCotangents(_ index: Int, _ group: Group, _ parameters: UnsafePointer<Scalar>) {
        reverse(through: group.memory.plan.segments.nodes[index], group, at: parameters)
        group.memory.held.cotangents = index
        group.memory.held.tangents = nil
    }

    private func computeTangents(_ index: Int, _ group: Group, _ parameters: UnsafePointer<Scalar>) {
        tangent(through: group.memory.plan.segments.nodes[index], group, at: parameters)
        group.memory.held.tangents = index
    }
}

/// The segment whose maps of each kind lie in the memory that segments share.
struct HeldMaps {
    var values: Int?
    var cotangents: Int?
    var tangents: Int?
}
