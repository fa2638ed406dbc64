internal import RRFormats
internal import RRNetworks
internal import RRTensor

/// Nodes that gather places of maps, as the dynamo exporter writes poolings whose windows are not all alike.
extension GraphReader {
    /// What a node gives from the places of a map; nil for a node that is none of those.
    mutating func placeSums(_ node: GraphNode) throws(FormatError) -> PlaceSums? {
        if node.kind == "Transpose", let order = node.integers("perm"), let first = order.first, first != 0,
            case .feature(let feature)? = node.input(0).flatMap({ values[$0] }), feature.isMap,
            !isFlat(feature)
        {
            return PlaceSums(try map(node))?.transposed(order)
        }
        var sums: [PlaceSums] = []
        var constants: [Constant] = []
        for position in node.inputs.indices {
            guard let name = node.input(position), let value = values[name] else { return nil }
            switch value {
            case .places(let places): sums.append(places)
            case .constant(let constant): constants.append(constant)
            case .feature: return nil
            }
        }
        guard let first = sums.first else { return nil }
        switch (node.kind, sums.count, constants.count) {
        case ("Identity", 1, 0), ("Cast", 1, 0): return first
        case ("Transpose", 1, 0): return node.integers("perm").flatMap(first.transposed)
        case ("Gather", 1, 1):
            let axis = node.integer("axis", default: 0)
            return constants[0].integers.flatMap {
                first.gathered(
                    $0, shape: constants[0].dimensions, axis: axis < 0 ? axis + first.kinds.count : axis)
            }
        case ("GatherND", 1, 1) where node.integer("batch_dims", default: 0) == 0:
            return constants[0].integers.flatMap {
                first.gathered(tuples: $0, shape: constants[0].dimensions)
            }
        case ("Where", 1, 2):
            // Zeros where a window is shorter than the longest.
            guard constants[1].doubles.allSatisfy({ $0 == 0 }) else { return nil }
            let isKept = constants[0].doubles.map { ($0 != 0) == (places(node, 1) != nil) ? 1.0 : 0 }
            return first.times(Constant(constants[0].dimensions, .doubles(isKept)))
        case ("Add", 2, 0): return first.plus(sums[1])
        case ("Mul", 1, 1): return first.times(constants[0])
        case ("Div", 1, 1) where places(node, 0) != nil && !constants[0].doubles.contains(0):
            return first.times(
                Constant(constants[0].dimensions, .doubles(constants[0].doubles.map { 1 / $0 })))
        default: return nil
        }
    }

    private func places(_ node: GraphNode, _ position: Int) -> PlaceSums? {
        guard let name = node.input(position), case .places(let places)? = values[name] else { return nil }
        return places
    }

    /// Makes layers of the sums of places that a node reads.
    mutating func completePlaces(_ node: GraphNode) throws(FormatError) {
        for position in node.inputs.indices {
            guard let name = node.input(position), let places = places(node, position) else { continue }
            guard let (height, width) = places.pooling else {
                throw node.unsupported("reads places of maps that were gathered otherwise than by a pooling")
            }
            let shape = try shape(channels: places.map.shape.channels, height: height, width: width, node)
            var output = try append(
                .layer(.adaptiveavgpool2d(.init(height: height, width: width))), of: [places.map],
                shape: shape,
                node: node)
            output.dimensions = output.order.map(output.extent)
            output.isAlone = isReadOnce(name)
            replace(name, by: output)
        }
    }
}
