internal import RRFormats
internal import RRNetworks
internal import RRTensor

/// Channels that are joined, taken apart and shuffled.
extension GraphReader {
    mutating func concatenation(_ node: GraphNode) throws(FormatError) -> Feature {
        var parts: [Feature] = []
        for position in node.inputs.indices { parts.append(try feature(node, position)) }
        if parts.count == 1 { return parts[0] }
        let first = parts[0]
        let axis = try sampleDimension(node.integer("axis", default: 0), of: first, node)
        if parts.allSatisfy({ $0.dimensions.count == 1 }) {
            guard parts.allSatisfy(\.hasLayerOrder) else {
                throw node.unsupported("joins features that are not in the order (C, H, W)")
            }
            for index in parts.indices { parts[index] = try flat(parts[index], node) }
            let count = parts.reduce(0) { $0 + $1.shape.channels }
            var joined = try append(
                .concat, of: parts, shape: try shape(channels: count, height: 1, width: 1, node), node: node)
            joined.dimensions = [count]
            return joined
        }
        guard first.dimensions.count == 3,
            parts.allSatisfy({ $0.dimensions.count == 3 && $0.order == first.order }),
            first.order.firstIndex(of: .channel) == axis,
            parts.allSatisfy({ $0.isArranged($0.order) && !isFlat($0) }),
            parts.allSatisfy({ ($0.shape.height, $0.shape.width) == (first.shape.height, first.shape.width) })
        else { throw node.unsupported("joins other than channels of maps of one size, or features") }
        let count = parts.reduce(0) { $0 + $1.shape.channels }
        var joined = try append(
            .concat, of: parts,
            shape: try shape(channels: count, height: first.shape.height, width: first.shape.width, node),
            node: node)
        joined.dimensions[axis] = count
        return joined
    }

    // MARK: Parts

    /// What a node cuts a feature into, by its outputs.
    mutating func splitFeature(_ node: GraphNode) throws(FormatError) -> [Feature] {
        let input = try feature(node)
        let axis = try sampleDimension(node.integer("axis", default: 0), of: input, node)
        let extent = input.dimensions[axis]
        let count = node.outputs.count
        var lengths = try known(node, 1)?.integers ?? []
        if lengths.isEmpty {
            // The last of equal parts is smaller where they do not fit.
            let length = (extent + count - 1) / count
            lengths = (0..<count).map { min(length, extent - min($0 * length, extent)) }
        }
        guard lengths.count == count, lengths.allSatisfy({ 0...extent ~= $0 }),
            lengths.reduce(0, +) == extent
        else { throw node.malformed("cuts \(extent) into \(lengths), for \(count) outputs") }
        var start = 0
        return try lengths.map { length throws(FormatError) in
            defer { start += length }
            return try part(of: input, along: axis, from: start, count: length, node)
        }
    }

    mutating func slicedFeature(_ node: GraphNode) throws(FormatError) -> Feature {
        var input = try feature(node)
        let (starts, ends) = (
            try wholeNumbers(node, 1, "starts"), try wholeNumbers(node, 2, "ends")
        )
        let axes = try known(node, 3)?.integers ?? Array(starts.indices)
        let steps = try known(node, 4)?.integers ?? starts.map { _ in 1 }
        guard ends.count == starts.count, axes.count == starts.count, steps.count == starts.count else {
            throw node.malformed("has bounds, axes and steps of different numbers")
        }
        for index in axes.indices {
            guard steps[index] == 1 else { throw node.unsupported("takes every other element, or backwards") }
            let place = try dimension(axes[index], of: input.dimensions.count + 1, node)
            let extent = place == 0 ? batch : input.dimensions[place - 1]
            func bound(_ value: Int) -> Int { min(max(value < 0 ? value &+ extent : value, 0), extent) }
            let (start, end) = (bound(starts[index]), bound(ends[index]))
            if start == 0, end == extent { continue }
            guard place > 0 else { throw node.unsupported("works along the samples of a batch") }
            input = try part(of: input, along: place - 1, from: start, count: max(end - start, 0), node)
        }
        return input
    }

    /// Some of a feature's channels, or some of the features that have no place.
    private mutating func part(
        of input: Feature, along axis: Int, from start: Int, count: Int, _ node: GraphNode
    ) throws(FormatError) -> Feature {
        if start == 0, count == input.dimensions[axis] { return input }
        guard count > 0 else { throw node.unsupported("takes nothing") }
        var input = input
        if input.dimensions.count == 1, input.hasLayerOrder {
            input = try flat(input, node)
        } else {
            guard input.dimensions.count == 3, input.isArranged(input.order), !isFlat(input),
                input.order[axis] == .channel
            else {
                throw node.unsupported(
                    "takes a part of \(layout(of: input)) along its dimension \(axis + 1); parts of the channels of maps, "
                        + "and of features, are served")
            }
        }
        var output = try append(
            .layer(.narrow(.init(start: start, length: count))), of: [input],
            shape: try shape(channels: count, height: input.shape.height, width: input.shape.width, node),
            node: node)
        output.dimensions[axis] = count
        return output
    }

    // MARK: Shuffles

    /// Channels whose groups were laid out as one more dimension, which is moved behind that of their members.
    ///
    /// - Parameter order: the dimensions in their new order, with that of the samples.
    /// - Returns: nil where another part is moved.
    mutating func shuffledFeature(
        _ input: Feature, _ order: [Int], _ node: GraphNode
    ) throws(FormatError) -> Feature? {
        guard let place = order.indices.first(where: { order[$0] != $0 }), place > 0, place + 1 < order.count
        else { return nil }
        var swapped = Array(order.indices)
        swapped.swapAt(place, place + 1)
        // Of the dimensions without that of the samples.
        let groups = place - 1
        var whole = input
        whole.dimensions[groups] *= whole.dimensions[groups + 1]
        whole.dimensions.remove(at: groups + 1)
        guard order == swapped, let parts = whole.parts, parts[groups] == [.channel] else {
            return nil
        }
        let settled = try settled(input, for: node)
        var output = try append(
            .layer(.channelshuffle(groups: input.dimensions[groups])), of: [settled], shape: input.shape,
            node: node)
        output.dimensions = input.dimensions
        output.dimensions.swapAt(groups, groups + 1)
        return output
    }
}
