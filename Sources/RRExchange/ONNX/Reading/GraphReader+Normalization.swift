internal import RRFormats
internal import RRNetworks
internal import RRTensor

/// Normalisations.
extension GraphReader {
    mutating func normalization(_ node: GraphNode) throws(FormatError) -> Feature {
        switch node.kind {
        case "BatchNormalization": return try batchNormalization(node)
        case "InstanceNormalization": return try instanceNormalization(node)
        case "GroupNormalization": return try groupNormalization(node)
        default: return try layerNormalization(node)
        }
    }

    private mutating func batchNormalization(_ node: GraphNode) throws(FormatError) -> Feature {
        var tensors: [Constant] = []
        for position in 1...4 { tensors.append(try weight(node, position)) }
        if node.integer("training_mode", default: 0) != 0 {
            isTrainingMode = true
        }
        var input = try feature(node)
        let epsilon = node.number("epsilon", default: 1e-5)
        let isFeatures = input.dimensions.count == 1 && (isFlat(input) || input.shape.pixelCount > 1)
        if isFeatures {
            guard input.hasLayerOrder else {
                throw node.unsupported("normalises features that are not in the order (C, H, W)")
            }
            input = try flat(input, node)
        } else {
            guard input.longAxes(in: [0]) == [.channel].filter({ input.extent($0) > 1 }), !isFlat(input)
            else {
                throw misarranged(input, node)
            }
        }
        guard tensors.allSatisfy({ $0.dimensions == [input.shape.channels] }) else {
            throw node.malformed(
                "has factors for other than the \(input.shape.channels) channels of its input")
        }
        let roles = ["weight", "bias", "running_mean", "running_var"]
        return try append(
            .layer(isFeatures ? .batchnorm1d(epsilon: epsilon) : .batchnorm2d(epsilon: epsilon)), of: [input],
            shape: input.shape, weights: zip(roles, tensors).map { Step.Weight($0, $1) }, node: node)
    }

    /// Groups of channels laid out as the channels of a flat map are how group normalisation is exported.
    private mutating func instanceNormalization(_ node: GraphNode) throws(FormatError) -> Feature {
        let (scale, bias) = (try weight(node, 1), try weight(node, 2))
        let input = try feature(node)
        let groups = input.dimensions.first ?? 0
        guard input.dimensions.count >= 2, input.hasLayerOrder, !isFlat(input), groups > 0,
            input.shape.channels % groups == 0, scale.count == groups, bias.count == groups
        else { throw node.unsupported("normalises \(layout(of: input)), and not groups of channels") }
        return try normalized(
            input, groups: groups, scale, bias, epsilon: node.number("epsilon", default: 1e-5), node)
    }

    private mutating func groupNormalization(_ node: GraphNode) throws(FormatError) -> Feature {
        let (scale, bias) = (try weight(node, 1), try weight(node, 2))
        let input = try map(node)
        let groups = node.integer("num_groups", default: 0)
        guard groups > 0, input.shape.channels % groups == 0,
            [groups, input.shape.channels].contains(scale.count), bias.count == scale.count
        else { throw node.malformed("has \(groups) groups of \(input.shape.channels) channels") }
        return try normalized(
            input, groups: groups, scale, bias, epsilon: node.number("epsilon", default: 1e-5), node)
    }

    private mutating func normalized(
        _ input: Feature, groups: Int, _ scale: Constant, _ bias: Constant, epsilon: Double, _ node: GraphNode
    ) throws(FormatError) -> Feature {
        let channels = input.shape.channels
        let weights: [Step.Weight]
        if scale.count == channels {
            weights = [
                Step.Weight("weight", scale.shaped([channels])), Step.Weight("bias", bias.shaped([channels])),
            ]
        } else {
            func spread(_ values: [Double]) -> [Double] {
                (0..<channels).map { values[$0 / (channels / groups)] }
            }
            weights = [
                Step.Weight("weight", spread(scale.doubles)), Step.Weight("bias", spread(bias.doubles)),
            ]
        }
        let output = try append(
            .layer(.groupnorm(.init(groups: groups, epsilon: epsilon))), of: [input], shape: input.shape,
            weights: weights, node: node)
        if scale.doubles.allSatisfy({ $0 == 1 }), bias.doubles.allSatisfy({ $0 == 0 }) {
            setBareNormalization(output)
        }
        return output
    }

    private mutating func layerNormalization(_ node: GraphNode) throws(FormatError) -> Feature {
        let scale = try weight(node, 1)
        let bias = try known(node, 2)
        let input = try feature(node)
        let first = try sampleDimension(node.integer("axis", default: -1), of: input, node)
        guard let axes = input.longAxes(in: Array(first..<input.dimensions.count)) else {
            throw node.unsupported("normalises a part of the channels")
        }
        let isOfPixels = first == input.dimensions.count - 1 && input.dimensions.count == 3
        var output = try normalized(
            input, over: axes, isOfPixels: isOfPixels, epsilon: node.number("epsilon", default: 1e-5), node)
        let step = steps[output.value - 1]
        guard scale.count == step.weights[0].elements.count, bias?.count ?? scale.count == scale.count,
            scale.count == step.shape.channels || input.hasLayerOrder
        else { throw node.unsupported("has factors for other than what it normalises") }
        setWeights(
            [
                Step.Weight("weight", scale.shaped(step.weights[0].shape)),
                bias.map { Step.Weight("bias", $0.shaped(step.weights[0].shape)) } ?? step.weights[1],
            ], of: output)
        output.isAlone = true
        return output
    }

    /// A layer normalisation without factors.
    ///
    /// - Parameters:
    ///   - axes: what is normalised together.
    ///   - isOfPixels: whether the file has places beside the channels, though there may be but one.
    mutating func normalized(
        _ input: Feature, over axes: [Axis], isOfPixels: Bool = false, epsilon: Double, _ node: GraphNode
    ) throws(FormatError) -> Feature {
        let dimensions = (input.dimensions, input.order)
        var output: Feature
        let isOverChannels = axes.allSatisfy { $0 == .channel }
        if isOverChannels, !isFlat(input), isOfPixels || input.shape.pixelCount > 1 {
            output = try bare(.layernorm2d(epsilon: epsilon), input, [input.shape.channels], node)
        } else if Set(axes) == Set(input.longAxes), input.hasLayerOrder {
            let isFeatures = input.dimensions.count == 1
            let flat = isFeatures ? try flat(input, node) : input
            let shape = isFlat(flat) ? [input.shape.elementCount] : input.shape.dimensions
            output = try bare(.layernorm(epsilon: epsilon), flat, shape, node)
        } else {
            throw node.unsupported("normalises other than the channels of each pixel, or all elements")
        }
        (output.dimensions, output.order) = dimensions
        return output
    }

    private mutating func bare(
        _ layer: LayerDescription, _ input: Feature, _ shape: [Int], _ node: GraphNode
    ) throws(FormatError) -> Feature {
        let count = shape.reduce(1, *)
        let output = try append(
            .layer(layer), of: [input], shape: input.shape,
            weights: [
                Step.Weight("weight", Array(repeating: 1, count: count), shape: shape),
                Step.Weight("bias", Array(repeating: 0, count: count), shape: shape),
            ], node: node)
        setBareNormalization(output)
        return output
    }
}
