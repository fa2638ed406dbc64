/// The four passes, segment by segment: what a segment's pass wants of passes before is computed again where another
/// segment's maps have taken its place.
extension LayerGraph {
    func forward(_ group: Group, at parameters: UnsafePointer<Scalar>) {
        for index in group.memory.plan.segments.nodes.indices { computeValues(index, group, parameters) }
    }

    func reverse(_ group: Group, at parameters: UnsafePointer<Scalar>) {
        for index in explainedSegments(group).reversed() {
            hold(index, group, parameters)
            computeCotangents(index, group, parameters)
        }
    }

    func tangent(_ group: Group, at parameters: UnsafePointer<Scalar>) {
        for index in explainedSegments(group) {
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
        let explained = isSecondOrder ? explainedSegments(group) : 0..<0
        for (index, range) in memory.plan.segments.nodes.enumerated().reversed()
        where nodes[range].contains(where: { group.demand.values[$0.output] }) {
            hold(index, group, parameters)
            let behind =
                explained.contains(index) ? explainedNodes(range, group) : range.upperBound..<range.upperBound
            if !behind.isEmpty {
                if memory.held.cotangents != index { computeCotangents(index, group, parameters) }
                if memory.held.tangents != index { computeTangents(index, group, parameters) }
                gradient(
                    through: behind, group, at: parameters, isSecondOrder: true, addingTo: parameterGradient)
            }
            // The penalty's part by the map itself joins what comes back to it.
            if isSecondOrder, let features = group.features, range.contains(firstExplained(group) - 1) {
                if group.demand.values[features.map.value] {
                    features.addAdjoint(to: memory, sampleCount: group.sampleCount)
                }
            }
            gradient(
                through: range.lowerBound..<behind.lowerBound, group, at: parameters, isSecondOrder: false,
                addingTo: parameterGradient)
        }
    }

    /// The first node behind what the explanation is about.
    func firstExplained(_ group: Group) -> Int { group.features?.firstNode ?? 0 }

    /// Lays the tangent that the passes behind a feature map begin with.
    func layTangent(_ group: Group) {
        group.features?.layTangent(in: group.memory, sampleCount: group.sampleCount)
    }

    private func explainedNodes(_ range: Range<Int>, _ group: Group) -> Range<Int> {
        max(range.lowerBound, min(firstExplained(group), range.upperBound))..<range.upperBound
    }

    /// The segments that have a node behind it.
    private func explainedSegments(_ group: Group) -> Range<Int> {
        let segments = group.memory.plan.segments.nodes
        let first = segments.firstIndex { $0.upperBound > firstExplained(group) } ?? segments.count
        return first..<segments.count
    }

    /// Computes the values of a segment again, if another's lie in their place.
    private func hold(_ index: Int, _ group: Group, _ parameters: UnsafePointer<Scalar>) {
        if group.memory.held.values != index { computeValues(index, group, parameters) }
    }

    /// Maps of one segment share memory, each pass's with those of passes before that it does not read: what is held of
    /// later passes is gone.
    private func computeValues(_ index: Int, _ group: Group, _ parameters: UnsafePointer<Scalar>) {
        let range = group.memory.plan.segments.nodes[index]
        let behind = explainedNodes(range, group)
        forward(through: range.lowerBound..<behind.lowerBound, group, at: parameters)
        if let features = group.features, behind.contains(features.firstNode) {
            features.keepValues(of: group.memory, sampleCount: group.sampleCount)
        }
        forward(through: behind, group, at: parameters)
        group.memory.held = HeldMaps(values: index)
    }

    private func computeCotangents(_ index: Int, _ group: Group, _ parameters: UnsafePointer<Scalar>) {
        reverse(
            through: explainedNodes(group.memory.plan.segments.nodes[index], group), group, at: parameters)
        group.memory.held.cotangents = index
        group.memory.held.tangents = nil
    }

    private func computeTangents(_ index: Int, _ group: Group, _ parameters: UnsafePointer<Scalar>) {
        let behind = explainedNodes(group.memory.plan.segments.nodes[index], group)
        if behind.contains(firstExplained(group)) { layTangent(group) }
        tangent(through: behind, group, at: parameters)
        group.memory.held.tangents = index
    }
}

/// The segment whose maps of each kind lie in the memory that segments share.
struct HeldMaps {
    var values: Int?
    var cotangents: Int?
    var tangents: Int?
}
