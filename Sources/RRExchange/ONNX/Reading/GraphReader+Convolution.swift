internal import RRFormats
internal import RRNetworks
internal import RRTensor

/// Convolutions and linear layers.
extension GraphReader {
    /// How windows move over a map, as `Conv` and the poolings say it.
    struct Windows {
        var kernel: Extents
        var stride: Extents
        var dilation: Extents
        var padding: Padding
    }

    mutating func convolution(_ node: GraphNode) throws(FormatError) -> Feature {
        let weight = try weight(node, 1)
        let bias = try known(node, 2).flatMap { $0.isNoBias ? nil : $0 }
        var input = try map(node, takesPadding: true)
        guard weight.dimensions.count == 4 else {
            throw node.unsupported(
                "has weights of \(weight.dimensions.count - 2) dimensions; two, of images, are served")
        }
        let groups = node.integer("group", default: 1)
        guard groups > 0, weight.dimensions.allSatisfy({ $0 > 0 }),
            weight.dimensions[1] == input.shape.channels / groups, input.shape.channels % groups == 0,
            weight.dimensions[0] % groups == 0
        else {
            throw node.malformed(
                "has weights of \(weight.dimensions) in \(groups) groups for maps of \(input.shape)")
        }
        let kernel = Extents(height: weight.dimensions[2], width: weight.dimensions[3])
        var windows = try windows(node, kernel: kernel, over: input.shape)
        if let padding = input.padding { windows.padding = windows.padding.around(padding) }
        input.padding = nil
        let shape = try shape(
            channels: weight.dimensions[0],
            height: Self.count(
                input.shape.height, kernel.height, windows.stride.height, windows.dilation.height,
                windows.padding.top + windows.padding.bottom),
            width: Self.count(
                input.shape.width, kernel.width, windows.stride.width, windows.dilation.width,
                windows.padding.left + windows.padding.right), node)
        try checkSharing(weight, node)
        var weights = [Step.Weight("weight", weight)]
        if let bias {
            guard bias.count == shape.channels else {
                throw node.malformed("has a bias of \(bias.dimensions)")
            }
            weights.append(Step.Weight("bias", bias.shaped([bias.count])))
        }
        let layer = LayerDescription.conv2d(
            .init(
                out: shape.channels, kernel: kernel, stride: windows.stride, padding: windows.padding,
                dilation: windows.dilation, groups: groups, bias: bias != nil))
        var output = try append(.layer(layer), of: [input], shape: shape, weights: weights, node: node)
        output.dimensions = shape.dimensions
        output.order = [.channel, .height, .width]
        return output
    }

    /// - Parameter kernel: nil where an attribute says it.
    func windows(_ node: GraphNode, kernel: Extents?, over shape: ImageShape) throws(FormatError) -> Windows {
        func pair(_ name: String) throws(FormatError) -> Extents? {
            guard let values = node.integers(name), !values.isEmpty else { return nil }
            guard values.count == 2, values.allSatisfy({ 1...1 << 24 ~= $0 }) else {
                throw node.unsupported("has \(values) as its \(name)")
            }
            return Extents(height: values[0], width: values[1])
        }
        let given = try pair("kernel_shape")
        guard let kernel = kernel ?? given else { throw node.malformed("has no kernel_shape") }
        var windows = Windows(
            kernel: kernel, stride: try pair("strides") ?? 1, dilation: try pair("dilations") ?? 1, padding: 0
        )
        switch node.text("auto_pad") ?? "NOTSET" {
        case "NOTSET":
            let pads = node.integers("pads").flatMap { $0.isEmpty ? nil : $0 } ?? [0, 0, 0, 0]
            guard pads.count == 4, pads.allSatisfy({ 0...1 << 24 ~= $0 }) else {
                throw node.unsupported("has \(pads) as its pads")
            }
            windows.padding = Padding(top: pads[0], bottom: pads[2], left: pads[1], right: pads[3])
        case "VALID": break
        case let mode where mode.hasPrefix("SAME"):
            // As many windows as steps fit; an odd zero is at the end, or with SAME_LOWER at the beginning.
            func sides(_ extent: Int, _ kernel: Int, _ stride: Int, _ dilation: Int) -> (Int, Int) {
                let count = (extent + stride - 1) / stride
                let total = max(0, (count - 1) * stride + (kernel - 1) * dilation + 1 - extent)
                let less = total / 2
                return mode == "SAME_LOWER" ? (total - less, less) : (less, total - less)
            }
            let (top, bottom) = sides(
                shape.height, kernel.height, windows.stride.height, windows.dilation.height)
            let (left, right) = sides(shape.width, kernel.width, windows.stride.width, windows.dilation.width)
            windows.padding = Padding(top: top, bottom: bottom, left: left, right: right)
        case let mode: throw node.unsupported("has “\(mode)” as its auto_pad")
        }
        return windows
    }

    /// The number of windows along an axis; none or fewer where none fits.
    static func count(
        _ extent: Int, _ kernel: Int, _ stride: Int, _ dilation: Int, _ padding: Int, ceil: Bool = false,
        before: Int = 0
    ) -> Int {
        let (reach, overflow) = dilation.multipliedReportingOverflow(by: kernel - 1)
        guard !overflow, reach < 1 << 40 else { return 0 }
        let room = extent + padding - reach - 1
        guard room >= 0 else { return 0 }
        guard ceil else { return room / stride + 1 }
        let count = (room + stride - 1) / stride + 1
        // A last window that would begin in the padding behind the map is left out, as in PyTorch.
        return (count - 1) * stride >= extent + before ? count - 1 : count
    }

    /// Refuses one tensor as the weight of two layers: they would part in training.
    mutating func checkSharing(_ weight: Constant, _ node: GraphNode) throws(FormatError) {
        guard let name = weight.name, !name.isEmpty else { return }
        if let other = sharedWeights[name] {
            throw node.unsupported(
                "has the weights “\(name)” in common with \(other); each layer has its own here")
        }
        sharedWeights[name] = node.place
    }

    // MARK: Linear layers

    mutating func linear(_ node: GraphNode) throws(FormatError) -> Feature {
        guard node.integer("transA", default: 0) == 0 else {
            throw node.unsupported("transposes the samples")
        }
        var weight = try weight(node, 1)
        guard weight.dimensions.count == 2 else {
            throw node.malformed("has weights of \(weight.dimensions)")
        }
        let (name, isTransposed) = (weight.name, node.integer("transB", default: 0) != 0)
        if !isTransposed { weight = weight.transposed([1, 0]) }
        let (alpha, beta) = (node.number("alpha", default: 1), node.number("beta", default: 1))
        if alpha != 1 { weight = Constant(weight.dimensions, .doubles(weight.doubles.map { $0 * alpha })) }
        var bias = try known(node, 2).flatMap { $0.isNoBias ? nil : $0 }
        if let given = bias {
            guard
                let whole = given.count == 1 || given.count == weight.dimensions[0]
                    ? given.shaped([given.count]).broadcast(to: [weight.dimensions[0]]) : nil
            else { throw node.malformed("has a bias of \(given.dimensions)") }
            bias = Constant(
                whole.dimensions, whole.elements, name: given.count == whole.count ? given.name : nil)
            if beta != 1 { bias = Constant(whole.dimensions, .doubles(whole.doubles.map { $0 * beta })) }
        }
        let input = try feature(node)
        guard input.dimensions.count == 1 else { throw node.malformed("multiplies \(layout(of: input))") }
        try checkSharing(Constant([], weight.elements, name: name), node)
        return try linear(input, weight, bias, node)
    }

    /// A feature times a matrix.
    mutating func product(_ node: GraphNode) throws(FormatError) -> Feature {
        guard let name = node.input(1), case .constant = values[name] else {
            throw node.unsupported("multiplies what depends on the image by what does too, as attention does")
        }
        let stored = try weight(node, 1)
        guard stored.dimensions.count == 2 else {
            throw node.unsupported("multiplies by a tensor of \(stored.dimensions)")
        }
        let input = try feature(node)
        guard input.dimensions.last == stored.dimensions[0] else {
            throw node.malformed("multiplies \(layout(of: input)) by a tensor of \(stored.dimensions)")
        }
        try checkSharing(stored, node)
        let weight = stored.transposed([1, 0])
        if input.dimensions.count == 1 { return try linear(input, weight, nil, node) }
        guard input.longAxes(in: [input.dimensions.count - 1]) == [.channel].filter({ input.extent($0) > 1 }),
            !isFlat(input)
        else { throw node.unsupported("mixes other than the channels of \(layout(of: input))") }
        let count = weight.dimensions[0]
        let shape = try shape(channels: count, height: input.shape.height, width: input.shape.width, node)
        var output = try append(
            .layer(.linear2d(.init(out: count, bias: false))), of: [input], shape: shape,
            weights: [Step.Weight("weight", weight)], node: node)
        output.dimensions[output.dimensions.count - 1] = count
        return output
    }

    /// - Parameters:
    ///   - weight: (out, in), its columns in the file's order of the features.
    ///   - bias: (out).
    private mutating func linear(
        _ input: Feature, _ weight: Constant, _ bias: Constant?, _ node: GraphNode
    ) throws(FormatError) -> Feature {
        guard weight.dimensions[1] == input.shape.elementCount, weight.dimensions[0] > 0 else {
            throw node.malformed(
                "has weights of \(weight.dimensions) for \(input.shape.elementCount) features")
        }
        var weight = weight
        if !input.hasLayerOrder {
            // (out, H, W, C) as (out, C, H, W), say.
            let split = weight.shaped([weight.dimensions[0]] + input.order.map(input.extent))
            let order = [Axis.channel, .height, .width].compactMap { input.order.firstIndex(of: $0) }
            let moved = split.transposed([0] + order.map { $0 + 1 })
            weight = Constant(weight.dimensions, moved.elements)
        }
        let count = weight.dimensions[0]
        let flat = try flat(input, node)
        var weights = [Step.Weight("weight", weight)]
        if let bias { weights.append(Step.Weight("bias", bias)) }
        var output = try append(
            .layer(.linear(.init(out: count, bias: bias != nil))), of: [flat],
            shape: try shape(channels: count, height: 1, width: 1, node), weights: weights, node: node)
        output.dimensions = [count]
        return output
    }
}

extension Constant {
    /// Whether an exporter put zeros where the layer has no bias.
    fileprivate var isNoBias: Bool { !(name?.hasSuffix("bias") ?? false) && doubles.allSatisfy { $0 == 0 } }
}

extension Padding {
    /// This padding around another.
    func around(_ inner: Padding) -> Padding {
        Padding(
            top: top + inner.top, bottom: bottom + inner.bottom, left: left + inner.left,
            right: right + inner.right)
    }
}
