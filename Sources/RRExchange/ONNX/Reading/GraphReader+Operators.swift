internal import RRFormats
internal import RRNetworks
internal import RRTensor

/// What each operator is, where it works on what depends on the image.
extension GraphReader {
    /// What a node gives from features.
    mutating func computedFeature(_ node: GraphNode) throws(FormatError) -> Feature {
        switch node.kind {
        case "Identity", "Cast", "CastLike": return try pendingFeature(node)
        case "Dropout": return try dropout(node)
        case "Reshape", "Flatten", "Squeeze", "Unsqueeze": return try reshapedFeature(node)
        case "Gather": return try gatheredFeature(node)
        case "Transpose": return try transposedFeature(node)
        case "Pad": return try paddedFeature(node)
        case "Conv": return try convolution(node)
        case "Gemm": return try linear(node)
        case "MatMul": return try product(node)
        case "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool": return try pooling(node)
        case "ReduceMean", "ReduceSum", "ReduceMax": return try reduction(node)
        case "BatchNormalization", "InstanceNormalization", "GroupNormalization", "LayerNormalization":
            return try normalization(node)
        case "Add", "Sub", "Mul", "Div", "Neg", "Pow", "Sqrt", "Reciprocal", "Min", "Max":
            return try arithmetic(node)
        case "Concat": return try concatenation(node)
        case "Slice": return try slicedFeature(node)
        case "Softmax", "LogSoftmax":
            let input = try feature(node, 0)
            let axis = try sampleDimension(node.integer("axis", default: -1), of: input, node)
            guard axis == input.dimensions.count - 1, input.dimensions.count == 1 else {
                throw node.unsupported("is over other than the classes")
            }
            return try partial(.softmax, of: input, node)
        default: return try activation(node)
        }
    }

    /// The error for an operator that has no layer here.
    func unserved(_ node: GraphNode) -> FormatError {
        if node.kind.hasPrefix("Random") || ["Bernoulli", "Multinomial"].contains(node.kind) {
            return node.unsupported(
                "draws random numbers, as in training: export the network after model.eval(), which leaves out stochastic "
                    + "depth and dropout")
        }
        if node.kind.contains("Quantize") || node.kind.hasPrefix("QLinear") {
            return node.unsupported("is of a quantised network; export it in floating point")
        }
        return node.unsupported(
            "is an operator that has no layer here: put one that has into its place, and export the network again"
        )
    }

    private mutating func activation(_ node: GraphNode) throws(FormatError) -> Feature {
        switch node.kind {
        case "Relu": return try elementwise(.relu, node)
        case "LeakyRelu":
            // TensorFlow computes in double, too, with the slope as the file has it.
            let slope = node.number("alpha", default: 0.01)
            let isRounded = file.producer == "tf2onnx"
            return try elementwise(.leakyrelu(negativeSlope: isRounded ? Double(Float(slope)) : slope), node)
        case "Elu": return try elementwise(.elu(alpha: node.number("alpha", default: 1)), node)
        case "Celu" where node.number("alpha", default: 1) == 1: return try elementwise(.elu(), node)
        case "PRelu": return try slopes(try pendingFeature(node), try weight(node, 1), node)
        case "Sigmoid": return try elementwise(.sigmoid, node)
        case "Tanh":
            var input = try pendingFeature(node)
            if let step = step(of: input), step.partial == .tanhArgument, let factor = input.pending?.factor,
                Self.isNear(factor, (2 / Double.pi).squareRoot())
            {
                (input.value, input.pending) = (step.inputs[0], nil)
                return try partial(.tanhGate, of: input, node)
            }
            return try elementwise(.tanh, node)
        case "Mish":
            let input = try feature(node)
            let curved = try append(.layer(.softplus(beta: 1)), of: [input], shape: input.shape, node: node)
            let gate = try append(.layer(.tanh), of: [curved], shape: input.shape, node: node)
            return try append(.multiply, of: [input, gate], shape: input.shape, node: node)
        case "Greater":
            // What follows may be the softplus, which is its argument where that is large.
            guard let bound = try known(node, 1)?.scalar else { throw unserved(node) }
            return try partial(.above(bound), of: try feature(node), node)
        case "Where": return try choice(node)
        case "Softplus": return try elementwise(.softplus(beta: 1), node)
        case "Gelu": return try elementwise(.gelu(node.text("approximate") == "tanh" ? .tanh : .none), node)
        case "HardSwish": return try elementwise(.hardswish, node)
        case "HardSigmoid":
            guard Self.isNear(node.number("alpha", default: 0.2), 1.0 / 6),
                Self.isNear(node.number("beta", default: 0.5), 0.5)
            else { throw node.unsupported("has other than the slope 1/6 and the shift 1/2") }
            return try elementwise(.hardsigmoid, node)
        case "Erf":
            let input = try pendingFeature(node)
            guard let factor = input.pending?.factor, Self.isNear(factor, 0.5.squareRoot()) else {
                throw unserved(node)
            }
            return try partial(.errorFunction, of: try whole(input), node)
        case "Clip": return try clip(node)
        default: throw unserved(node)
        }
    }

    private mutating func clip(_ node: GraphNode) throws(FormatError) -> Feature {
        let low = try known(node, 1)?.scalar ?? node.number("min", default: -.infinity)
        let high = try known(node, 2)?.scalar ?? node.number("max", default: .infinity)
        guard low == 0 else {
            throw node.unsupported("limits to \(low) … \(high); 0 … 6 and 0 … ∞ are served")
        }
        if high > 1e38 { return try elementwise(.relu, node) }
        guard high == 6 else {
            throw node.unsupported("limits to \(low) … \(high); 0 … 6 and 0 … ∞ are served")
        }
        let input = try pendingFeature(node)
        if let pending = input.pending, pending.scale == [1], pending.shift == [3],
            step(of: input)?.partial == nil
        {
            return try partial(.clippedShift, of: try whole(input), node)
        }
        return try elementwise(.relu6, node)
    }

    /// A feature before what is still to be done to it.
    private func whole(_ feature: Feature) throws(FormatError) -> Feature {
        var feature = feature
        feature.pending = nil
        return feature
    }

    private mutating func dropout(_ node: GraphNode) throws(FormatError) -> Feature {
        let isTraining = try known(node, 2)?.scalar ?? 0 != 0
        let ratio = try known(node, 1)?.scalar ?? 0.5
        guard isTraining, ratio > 0 else { return try pendingFeature(node) }
        guard ratio < 1 else { throw node.unsupported("leaves out everything") }
        return try elementwise(.dropout(probability: GraphNode.unrounded(Float(ratio))), node)
    }

    static func isNear(_ value: Double, _ wanted: Double) -> Bool {
        (value - wanted).magnitude <= 1e-6 * wanted.magnitude
    }

    /// A shape that layers may give.
    func shape(
        channels: Int, height: Int, width: Int, _ node: GraphNode
    ) throws(FormatError) -> ImageShape {
        guard let shape = try? ImageShape(channels: channels, height: height, width: width), height > 0,
            width > 0,
            shape.elementCount <= 1 << 28, shape.elementCount > 0
        else { throw node.unsupported("gives maps of \(channels) × \(height) × \(width)") }
        return shape
    }
}
