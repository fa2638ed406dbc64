internal import RRFormats
internal import RRNetworks
internal import RRTensor

/// Nodes that lay values out otherwise.
extension GraphReader {
    /// The shape that a node gives a tensor; nil where the elements do not fit.
    ///
    /// - Parameter dimensions: the tensor's, with that of the batch.
    func reshaped(_ dimensions: [Int], _ node: GraphNode) throws(FormatError) -> [Int]? {
        switch node.kind {
        case "Reshape": return try reshaped(dimensions, to: try wholeNumbers(node, 1, "shape"), node)
        case "Squeeze":
            let given = try axes(node)
            let axes = try given?.map { axis throws(FormatError) in
                try dimension(axis, of: dimensions.count, node)
            }
            let removed = Set(axes ?? dimensions.indices.filter { dimensions[$0] == 1 })
            guard removed.allSatisfy({ dimensions[$0] == 1 }) else { return nil }
            return dimensions.indices.filter { !removed.contains($0) }.map { dimensions[$0] }
        default:
            guard let axes = try axes(node) else { throw node.malformed("has no axes") }
            let rank = dimensions.count + axes.count
            var places: Set<Int> = []
            for axis in axes { places.insert(try dimension(axis, of: rank, node)) }
            guard places.count == axes.count else { throw node.malformed("has an axis twice") }
            var rest = dimensions[...]
            return (0..<rank).map { places.contains($0) ? 1 : rest.popFirst() ?? 1 }
        }
    }

    private func reshaped(
        _ dimensions: [Int], to wanted: [Int], _ node: GraphNode
    ) throws(FormatError) -> [Int]? {
        let copiesZeros = node.integer("allowzero", default: 0) == 0
        var result: [Int] = []
        var open: Int?
        for (index, extent) in wanted.enumerated() {
            switch extent {
            case -1 where open == nil:
                open = index
                result.append(1)
            case 0 where copiesZeros && index < dimensions.count: result.append(dimensions[index])
            case 0...: result.append(extent)
            default: throw node.malformed("asks for the shape \(wanted)")
            }
        }
        let count = dimensions.reduce(1, *)
        var product = 1
        for extent in result {
            let (next, overflow) = product.multipliedReportingOverflow(by: extent)
            guard !overflow else { return nil }
            product = next
        }
        if let open {
            guard product > 0, count % product == 0 else { return nil }
            result[open] = count / product
            return result
        }
        return product == count ? result : nil
    }

    /// The whole numbers of an input.
    func wholeNumbers(_ node: GraphNode, _ position: Int, _ what: String) throws(FormatError) -> [Int] {
        guard let numbers = try known(node, position)?.integers else {
            throw node.malformed("has no whole numbers as its \(what)")
        }
        return numbers
    }

    /// The axes that a node names as an attribute, or from operator set 13 or 18 on as its second input; nil for none.
    func axes(_ node: GraphNode) throws(FormatError) -> [Int]? {
        if let axes = node.integers("axes") { return axes }
        guard node.input(1) != nil else { return nil }
        return try wholeNumbers(node, 1, "axes")
    }

    /// A dimension from its number, which may count from the end.
    func dimension(_ axis: Int, of rank: Int, _ node: GraphNode) throws(FormatError) -> Int {
        let index = axis < 0 ? axis &+ rank : axis
        guard 0..<rank ~= index else {
            throw node.malformed("has the axis \(axis), but there are \(rank) dimensions")
        }
        return index
    }

    /// The dimension of a sample, of one that counts the batch.
    func sampleDimension(_ axis: Int, of feature: Feature, _ node: GraphNode) throws(FormatError) -> Int {
        let index = try dimension(axis, of: feature.dimensions.count + 1, node)
        guard index > 0 else { throw node.unsupported("works along the samples of a batch") }
        return index - 1
    }

    // MARK: Features

    mutating func reshapedFeature(_ node: GraphNode) throws(FormatError) -> Feature {
        var feature = try pendingFeature(node)
        guard feature.padding == nil else {
            throw node.unsupported("lays out anew a map with zeros around it")
        }
        let dimensions = feature.dimensions(batch: batch)
        let result: [Int]?
        if node.kind == "Flatten" {
            let axis = node.integer("axis", default: 1)
            let index = axis < 0 ? axis &+ dimensions.count : axis
            guard 0...dimensions.count ~= index else { throw node.malformed("has no such axis") }
            result = [dimensions[..<index].reduce(1, *), dimensions[index...].reduce(1, *)]
        } else {
            result = try reshaped(dimensions, node)
        }
        guard let result else { throw node.malformed("cannot give \(feature.dimensions) that shape") }
        feature.joining = .nothing
        let count = feature.shape.elementCount
        if count > 1, result == [batch * count] {
            (feature.dimensions, feature.joining) = ([count], .all)
            return feature
        }
        if let first = result.first, first != batch, first % batch == 0, result.count > 1 {
            var joined = feature
            joined.dimensions = [first / batch] + result.dropFirst()
            joined.joining = .places
            if let parts = joined.parts, !(parts.first?.contains(.channel) ?? true) { return joined }
        }
        guard result.first == batch else {
            throw node.unsupported(
                "gives \(result.map { $0 == batch ? "N" : "\($0)" }.joined(separator: " × ")), which mixes the samples of a "
                    + "batch, or was exported for another number of them")
        }
        feature.dimensions = Array(result.dropFirst())
        return feature
    }

    /// Gives all elements that were laid out in one row with those of the other samples the shape that they are gathered in.
    mutating func gatheredFeature(_ node: GraphNode) throws(FormatError) -> Feature {
        var feature = try pendingFeature(node)
        guard feature.joining == .all else { throw unserved(node) }
        guard let indices = try known(node, 1), indices.dimensions.first == batch,
            let places = indices.integers, places.elementsEqual(0..<batch * feature.dimensions[0])
        else { throw node.unsupported("gathers other than all elements of all samples in their order") }
        (feature.dimensions, feature.joining) = (Array(indices.dimensions.dropFirst()), .nothing)
        return feature
    }

    mutating func transposedFeature(_ node: GraphNode) throws(FormatError) -> Feature {
        var feature = try pendingFeature(node)
        let rank = feature.dimensions.count + 1
        let order = node.integers("perm") ?? (0..<rank).reversed()
        guard order.sorted() == Array(0..<rank) else {
            throw node.malformed("has no order of dimensions: \(order)")
        }
        guard order.first == 0 else { throw node.unsupported("moves the samples of a batch") }
        guard let parts = feature.parts else {
            if let shuffled = try shuffledFeature(feature, order, node) { return shuffled }
            throw node.unsupported(
                "moves a part of the channels, or of the places, to where no shuffle of channels does")
        }
        let moved = order.dropFirst().map { parts[$0 - 1] }
        let named = moved.joined()
        feature.order = named + feature.order.filter { !named.contains($0) }
        feature.dimensions = order.dropFirst().map { feature.dimensions[$0 - 1] }
        return feature
    }

    /// Zeros around maps, which the layer behind them takes over.
    mutating func paddedFeature(_ node: GraphNode) throws(FormatError) -> Feature {
        var feature = try settled(try pendingFeature(node), for: node)
        let mode = node.text("mode") ?? "constant"
        let pads = try wholeNumbers(node, 1, "pads")
        let rank = feature.dimensions.count + 1
        if pads.allSatisfy({ $0 == 0 }) { return feature }
        let value = try known(node, 2)?.scalar ?? 0
        guard mode == "constant", value == 0 else {
            throw node.unsupported(
                "pads by “\(mode)”, with \(value); zeros alone are served, as padding_mode=\"zeros\" of a convolution gives them"
            )
        }
        guard node.input(3) == nil, feature.padding == nil else {
            throw node.unsupported("pads what is padded already, or along named axes")
        }
        guard pads.count == 2 * rank, let parts = feature.parts, feature.dimensions.count == 3 else {
            throw node.unsupported("pads other than maps")
        }
        var padding = Padding(integerLiteral: 0)
        for index in 0..<rank {
            let (before, after) = (pads[index], pads[index + rank])
            guard before != 0 || after != 0 else { continue }
            guard before >= 0, after >= 0, before < 1 << 24, after < 1 << 24, index > 0 else {
                throw node.unsupported("cuts from maps")
            }
            switch parts[index - 1].last {
            case .height: (padding.top, padding.bottom) = (before, after)
            case .width: (padding.left, padding.right) = (before, after)
            default: throw node.unsupported("pads channels")
            }
        }
        feature.padding = padding
        feature.isAlone = false
        return feature
    }
}
