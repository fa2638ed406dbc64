internal import RRFormats
internal import RRNetworks
internal import RRTensor

/// Layers that choose between two values for each element.
extension GraphReader {
    /// What stands for a choice by a bound: a softplus, which is its argument above 20 to the last digits, or a rectifier.
    mutating func choice(_ node: GraphNode) throws(FormatError) -> Feature {
        let condition = try pendingFeature(node)
        guard node.inputs.count == 3, case .above(let bound)? = step(of: condition)?.partial else {
            throw unserved(node)
        }
        let (argument, other) = (try pendingFeature(node, 1), try pendingFeature(node, 2))
        guard argument.pending == nil, step(of: condition)?.inputs == [argument.value] else {
            throw unserved(node)
        }
        if bound == 20, other.pending == nil, case .softplus(beta: 1)? = step(of: other)?.layer,
            step(of: other)?.inputs == [argument.value]
        {
            return other
        }
        guard bound == 0, other.value == argument.value, let pending = other.pending,
            pending.shift.allSatisfy({ $0 == 0 })
        else { throw unserved(node) }
        // A number that is no layer's weight is not trained.
        let name = pending.names.scale
        guard pending.scale.count > 1 || name == "weight" || name?.hasSuffix(".weight") == true else {
            return try append(
                .layer(.leakyrelu(negativeSlope: pending.scale[0])), of: [argument], shape: argument.shape,
                node: node)
        }
        return try rectified(argument, Step.Weight("weight", pending.scale, name: name), node)
    }

    /// A rectifier with slopes of its own, one or one a channel.
    mutating func slopes(
        _ input: Feature, _ slope: Constant, _ node: GraphNode
    ) throws(FormatError) -> Feature {
        let settled = try settled(input, for: node)
        guard settled.padding == nil else { throw node.unsupported("reads a map with zeros around it") }
        try checkSharing(slope, node)
        // Refuses what is laid out for other than channels.
        _ = try elements(of: slope, for: settled, node)
        return try rectified(settled, Step.Weight("weight", slope.shaped([slope.count])), node)
    }

    private mutating func rectified(
        _ input: Feature, _ weight: Step.Weight, _ node: GraphNode
    ) throws(FormatError) -> Feature {
        let count = weight.elements.count
        guard count == 1 || count == input.shape.channels else {
            throw node.unsupported("has a slope for each element; one, or one a channel, is served")
        }
        return try append(
            .layer(.prelu(.init(parameterCount: count))), of: [input], shape: input.shape, weights: [weight],
            node: node)
    }
}
