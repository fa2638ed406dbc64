internal import RRFormats
internal import RRNetworks
internal import RRTensor

/// Poolings, by windows and over whole maps.
extension GraphReader {
    mutating func pooling(_ node: GraphNode) throws(FormatError) -> Feature {
        var input = try map(node, takesPadding: true)
        let shape = input.shape
        switch node.kind {
        case "GlobalAveragePool":
            guard input.padding == nil else { throw node.unsupported("is over a map with zeros around it") }
            return try pooled(input, .globalavgpool, height: 1, width: 1, node)
        case "GlobalMaxPool":
            guard input.padding == nil else { throw node.unsupported("is over a map with zeros around it") }
            let kernel = Extents(height: shape.height, width: shape.width)
            return try pooled(input, .maxpool2d(.init(kernel: kernel)), height: 1, width: 1, node)
        default: break
        }
        var windows = try windows(node, kernel: nil, over: shape)
        let isMaximum = node.kind == "MaxPool"
        var ceil = node.integer("ceil_mode", default: 0) != 0
        var countsPadding = node.integer("count_include_pad", default: 0) != 0
        if windows.padding == 0, !ceil { countsPadding = true }
        if let padding = input.padding {
            // Zeros around what is never negative are to a maximum as no elements at all.
            guard isMaximum ? isNeverNegative(input) : countsPadding else {
                throw node.unsupported("is over a map with zeros around it")
            }
            windows.padding = windows.padding.around(padding)
            input.padding = nil
        }
        guard isMaximum || windows.dilation == 1 else { throw node.unsupported("has windows with gaps") }
        let (height, width) = Self.counts(windows, over: shape, ceil: ceil)
        // More behind a map than PyTorch allows is a last window that reaches beyond the padding, where that does not count.
        var less = windows
        less.padding.bottom = min(less.padding.bottom, less.kernel.height / 2)
        less.padding.right = min(less.padding.right, less.kernel.width / 2)
        if less.padding != windows.padding, isMaximum || !countsPadding,
            Self.counts(less, over: shape, ceil: true) == (height, width)
        {
            (windows, ceil) = (less, true)
        }
        let layer: LayerDescription =
            isMaximum
            ? .maxpool2d(
                .init(
                    kernel: windows.kernel, stride: windows.stride, padding: windows.padding,
                    dilation: windows.dilation, ceilMode: ceil))
            : .avgpool2d(
                .init(
                    kernel: windows.kernel, stride: windows.stride, padding: windows.padding, ceilMode: ceil,
                    countIncludePad: countsPadding))
        return try pooled(input, layer, height: height, width: width, node)
    }

    /// The numbers of windows along the height and the width.
    private static func counts(_ windows: Windows, over shape: ImageShape, ceil: Bool) -> (Int, Int) {
        let (kernel, stride, dilation, padding) = (
            windows.kernel, windows.stride, windows.dilation, windows.padding
        )
        return (
            count(
                shape.height, kernel.height, stride.height, dilation.height, padding.top + padding.bottom,
                ceil: ceil,
                before: padding.top),
            count(
                shape.width, kernel.width, stride.width, dilation.width, padding.left + padding.right,
                ceil: ceil,
                before: padding.left)
        )
    }

    private mutating func pooled(
        _ input: Feature, _ layer: LayerDescription, height: Int, width: Int, _ node: GraphNode
    ) throws(FormatError) -> Feature {
        var output = try append(
            .layer(layer), of: [input],
            shape: try shape(channels: input.shape.channels, height: height, width: width, node), node: node)
        output.dimensions = output.order.map(output.extent)
        return output
    }

    private func isNeverNegative(_ feature: Feature) -> Bool {
        switch step(of: feature)?.layer {
        case .relu, .relu6, .sigmoid, .hardsigmoid: true
        default: false
        }
    }

    /// A mean, a sum or a maximum over dimensions: a pooling, or a part of a normalisation that the exporter wrote out.
    mutating func reduction(_ node: GraphNode) throws(FormatError) -> Feature {
        let input = try pendingFeature(node)
        guard let given = try axes(node) else { throw node.unsupported("is over the samples of a batch too") }
        var positions: [Int] = []
        for axis in given { positions.append(try sampleDimension(axis, of: input, node)) }
        guard let axes = input.longAxes(in: positions.sorted()) else {
            throw node.unsupported("is over a part of the channels")
        }
        let kept = node.integer("keepdims", default: 1) != 0
        let dimensions =
            kept
            ? input.dimensions.indices.map { positions.contains($0) ? 1 : input.dimensions[$0] }
            : input.dimensions.indices.filter { !positions.contains($0) }.map { input.dimensions[$0] }
        if node.kind == "ReduceMean", let part = step(of: input)?.partial, input.pending == nil {
            guard part == .centeredSquare(axes) else { throw unserved(node) }
            var variance = try partial(.variance(axes), of: input, node)
            variance.dimensions = dimensions
            return variance
        }
        let places = Set(axes)
        let isOverPlaces = places.isSubset(of: [.height, .width]) && !isFlat(input)
        // One channel of one pixel is a mean of itself either way.
        if isOverPlaces, !(axes.isEmpty && input.shape.pixelCount > 1) {
            let input = try feature(node)
            let isWhole = places == Set(input.longAxes.filter { $0 != .channel })
            let kernel = Extents(
                height: isWhole || places.contains(.height) ? input.shape.height : 1,
                width: isWhole || places.contains(.width) ? input.shape.width : 1)
            let layer: LayerDescription =
                if node.kind == "ReduceMax" {
                    .maxpool2d(.init(kernel: kernel))
                } else {
                    isWhole ? .globalavgpool : .avgpool2d(.init(kernel: kernel))
                }
            let shape = try shape(
                channels: input.shape.channels, height: input.shape.height / kernel.height,
                width: input.shape.width / kernel.width, node)
            var output = try append(.layer(layer), of: [input], shape: shape, node: node)
            output.dimensions = dimensions
            if node.kind == "ReduceSum" {
                output.pending = Affine(scale: [Double(kernel.height * kernel.width)], shift: [0])
            }
            return output
        }
        guard node.kind == "ReduceMean" else {
            throw node.unsupported("is over other than the places of maps")
        }
        let whole = try feature(node)
        var mean = try partial(.mean(axes), of: whole, node)
        mean.dimensions = dimensions
        return mean
    }
}
