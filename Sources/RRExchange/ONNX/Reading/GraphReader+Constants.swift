internal import RRFormats

/// Nodes of which all inputs are known are computed: what exporters leave of the arithmetic of shapes.
extension GraphReader {
    /// The elements that all computed constants may have together: a file of a few bytes can ask for any number.
    static let largestConstantCount = 1 << 28

    mutating func constant(_ node: GraphNode) throws(FormatError) -> Constant {
        let result = try computed(node)
        constantCount += result.count
        return result
    }

    private func computed(_ node: GraphNode) throws(FormatError) -> Constant {
        switch node.kind {
        case "Constant": return try stored(node)
        case "Identity":
            // PyTorch writes one tensor for parameters of equal values, and gives the others their names here.
            var constant = try weight(node, 0)
            constant.name = node.outputs.first
            return constant
        case "Cast", "CastLike":
            return cast(try weight(node, 0), to: try castType(node))
        case "Shape", "Size": return try shape(node)
        case "Reshape", "Flatten", "Squeeze", "Unsqueeze": return try reshaped(node)
        case "Transpose":
            let constant = try weight(node, 0)
            let order = node.integers("perm") ?? constant.dimensions.indices.reversed()
            guard order.sorted() == Array(constant.dimensions.indices) else {
                throw node.malformed("has no order of dimensions: \(order)")
            }
            try checkCount(constant.count, node)
            return constant.transposed(order)
        case "Concat": return try concatenated(node)
        case "Gather": return try gathered(node)
        case "Slice": return try sliced(node)
        case "Expand", "ConstantOfShape", "Range": return try filled(node)
        case "Add", "Sub", "Mul", "Div", "Pow", "Mod", "Min", "Max", "Equal", "Greater", "Less",
            "GreaterOrEqual", "LessOrEqual", "And", "Or":
            return try combined(node)
        case "Clip": return try clipped(node)
        case "Where": return try chosen(node)
        case "Neg", "Abs", "Sqrt", "Reciprocal", "Exp", "Log", "Floor", "Ceil", "Sign", "Not":
            return try elementwise(node)
        case "ReduceProd", "ReduceSum":
            let constant = try weight(node, 0)
            guard let values = constant.integers, constant.dimensions.count <= 1 else {
                throw node.unsupported("reduces other than a list of whole numbers")
            }
            let result = node.kind == "ReduceProd" ? values.reduce(1, &*) : values.reduce(0, &+)
            return Constant(node.integer("keepdims", default: 1) == 1 ? [1] : [], .integers([result]))
        default: throw unserved(node)
        }
    }

    func checkCount(_ count: Int, _ node: GraphNode) throws(FormatError) {
        guard count <= Self.largestConstantCount - constantCount else {
            throw node.unsupported("computes constants of more elements than are served")
        }
    }

    /// The number of elements of a shape that a file asks for.
    func checkedCount(_ dimensions: [Int], _ node: GraphNode) throws(FormatError) -> Int {
        var count = 1
        for extent in dimensions {
            guard extent >= 0 else { throw node.malformed("asks for the shape \(dimensions)") }
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            guard !overflow else { throw node.unsupported("asks for the shape \(dimensions)") }
            count = product
        }
        try checkCount(count, node)
        return count
    }

    private func stored(_ node: GraphNode) throws(FormatError) -> Constant {
        if let tensor = node.tensor("value") { return try file.constant(tensor, at: node.place) }
        if let values = node.integers("value_ints"), !values.isEmpty { return Constant(integers: values) }
        if let values = node.numbers("value_floats"), !values.isEmpty {
            return Constant([values.count], .doubles(values))
        }
        if node.has("value_int") { return Constant([], .integers([node.integer("value_int", default: 0)])) }
        if node.has("value_float") { return Constant([], .doubles([node.number("value_float", default: 0)])) }
        if node.has("value_ints") { return Constant([0], .integers([])) }
        throw node.unsupported("has a constant that is no tensor of numbers")
    }

    /// Whether a cast gives floating-point numbers.
    private func castType(_ node: GraphNode) throws(FormatError) -> Bool {
        if node.kind == "Cast" {
            let type = node.integer("to", default: 1)
            return [1, 10, 11, 16].contains(type)
        }
        guard let name = node.input(1), case .constant(let like) = values[name] else { return true }
        return like.integers == nil
    }

    private func cast(_ constant: Constant, to floats: Bool) -> Constant {
        switch (constant.elements, floats) {
        case (.integers(let values), true):
            return Constant(constant.dimensions, .doubles(values.map { Double($0) }), name: constant.name)
        case (.floats(let values), false):
            return Constant(constant.dimensions, .integers(values.map { Self.whole(Double($0)) }))
        case (.doubles(let values), false):
            return Constant(constant.dimensions, .integers(values.map(Self.whole)))
        default: return constant
        }
    }

    static func whole(_ value: Double) -> Int { Int(exactly: value.rounded(.towardZero)) ?? 0 }

    private func shape(_ node: GraphNode) throws(FormatError) -> Constant {
        guard let name = node.input(0), let value = values[name] else { throw node.malformed("has no input") }
        let dimensions: [Int]
        switch value {
        case .constant(let constant): dimensions = constant.dimensions
        case .places: throw node.unsupported("asks for the shape of places of a map")
        case .feature(let feature):
            guard feature.padding == nil else { throw node.unsupported("asks for the shape of a padded map") }
            dimensions = feature.dimensions(batch: batch)
        }
        if node.kind == "Size" { return Constant([], .integers([dimensions.reduce(1, &*)])) }
        let rank = dimensions.count
        func bound(_ attribute: String, _ standard: Int) -> Int {
            let value = node.integer(attribute, default: standard)
            return min(max(value < 0 ? value + rank : value, 0), rank)
        }
        let (start, end) = (bound("start", 0), bound("end", rank))
        return Constant(integers: start < end ? Array(dimensions[start..<end]) : [])
    }

    private func reshaped(_ node: GraphNode) throws(FormatError) -> Constant {
        let constant = try weight(node, 0)
        if node.kind == "Flatten" {
            let axis = node.integer("axis", default: 1)
            guard 0...constant.dimensions.count ~= axis else { throw node.malformed("has no such axis") }
            return constant.shaped([
                constant.dimensions.prefix(axis).reduce(1, *),
                constant.dimensions.dropFirst(axis).reduce(1, *),
            ])
        }
        guard let result = try reshaped(constant.dimensions, node) else {
            throw node.malformed("cannot give \(constant.dimensions) that shape")
        }
        return constant.shaped(result)
    }

    private func concatenated(_ node: GraphNode) throws(FormatError) -> Constant {
        var parts: [Constant] = []
        for position in node.inputs.indices { parts.append(try weight(node, position)) }
        guard let first = parts.first else { throw node.malformed("joins nothing") }
        let axis = node.integer("axis", default: 0)
        let rank = first.dimensions.count
        let along = axis < 0 ? axis + rank : axis
        guard 0..<rank ~= along,
            parts.allSatisfy({ part in
                part.dimensions.count == rank
                    && (0..<rank).allSatisfy { $0 == along || part.dimensions[$0] == first.dimensions[$0] }
            })
        else { throw node.malformed("joins tensors that do not fit each other") }
        try checkCount(parts.reduce(0) { $0 + $1.count }, node)
        var dimensions = first.dimensions
        dimensions[along] = parts.reduce(0) { $0 + $1.dimensions[along] }
        let outer = first.dimensions[..<along].reduce(1, *)
        func joined<Value>(_ lists: [[Value]]) -> [Value] {
            (0..<outer).flatMap { index in
                lists.flatMap { list in
                    let size = outer == 0 ? 0 : list.count / outer
                    return Array(list[index * size..<(index + 1) * size])
                }
            }
        }
        let integers = parts.compactMap(\.integers)
        if integers.count == parts.count { return Constant(dimensions, .integers(joined(integers))) }
        return Constant(dimensions, .doubles(joined(parts.map(\.doubles))))
    }

    private func gathered(_ node: GraphNode) throws(FormatError) -> Constant {
        let (data, indices) = (try weight(node, 0), try weight(node, 1))
        let rank = data.dimensions.count
        let axis = node.integer("axis", default: 0)
        let along = axis < 0 ? axis + rank : axis
        guard 0..<rank ~= along, let places = indices.integers else {
            throw node.malformed("has no such axis")
        }
        let extent = data.dimensions[along]
        var wanted: [Int] = []
        for place in places {
            let place = place < 0 ? place + extent : place
            guard 0..<extent ~= place else { throw node.malformed("reaches beyond its tensor") }
            wanted.append(place)
        }
        let outer = data.dimensions[..<along].reduce(1, *)
        let inner = data.dimensions[(along + 1)...].reduce(1, *)
        let dimensions = data.dimensions[..<along] + indices.dimensions + data.dimensions[(along + 1)...]
        _ = try checkedCount(Array(dimensions), node)
        let positions = (0..<outer).flatMap { outer in
            wanted.flatMap { place in (0..<inner).map { (outer * extent + place) * inner + $0 } }
        }
        return Constant(Array(dimensions), data.elements.gathered(positions))
    }

    private func sliced(_ node: GraphNode) throws(FormatError) -> Constant {
        let data = try weight(node, 0)
        guard let starts = try weight(node, 1).integers, let ends = try weight(node, 2).integers else {
            throw node.malformed("has no whole numbers as its bounds")
        }
        let axes = try known(node, 3)?.integers ?? Array(starts.indices)
        let steps = try known(node, 4)?.integers ?? Array(repeating: 1, count: starts.count)
        guard starts.count == ends.count, axes.count == starts.count, steps.count == starts.count else {
            throw node.malformed("has bounds, axes and steps of different numbers")
        }
        var result = data
        for index in axes.indices {
            let rank = data.dimensions.count
            let axis = axes[index] < 0 ? axes[index] + rank : axes[index]
            let step = steps[index]
            guard 0..<rank ~= axis, step != 0, step.magnitude < 1 << 32 else {
                throw node.malformed("has no such axis or step")
            }
            let extent = result.dimensions[axis]
            // Backwards, the end may be before the first.
            let bounds = step > 0 ? 0...extent : -1...extent - 1
            func bound(_ value: Int) -> Int {
                min(max(value < 0 ? value &+ extent : value, bounds.lowerBound), bounds.upperBound)
            }
            let places = Array(stride(from: max(bound(starts[index]), 0), to: bound(ends[index]), by: step))
            var dimensions = result.dimensions
            var strides = Constant.strides(of: dimensions)
            let first = (places.first ?? 0) * strides[axis]
            dimensions[axis] = places.count
            strides[axis] *= step
            let positions = Constant.positions(dimensions, strides).map { $0 + first }
            result = Constant(dimensions, result.elements.gathered(positions))
        }
        return result
    }

    private func filled(_ node: GraphNode) throws(FormatError) -> Constant {
        if node.kind == "Range" {
            guard let start = try weight(node, 0).integers?.first,
                let limit = try weight(node, 1).integers?.first,
                let delta = try weight(node, 2).integers?.first, delta != 0
            else { throw node.unsupported("counts other than whole numbers") }
            let span = limit.subtractingReportingOverflow(start)
            guard !span.overflow else { throw node.malformed("counts too far") }
            let count = max(0, (Double(span.partialValue) / Double(delta)).rounded(.up))
            guard count < Double(Self.largestConstantCount) else { throw node.unsupported("counts too far") }
            try checkCount(Int(count), node)
            return Constant(integers: (0..<Int(count)).map { start &+ $0 &* delta })
        }
        let isExpansion = node.kind == "Expand"
        guard let shape = try weight(node, isExpansion ? 1 : 0).integers else {
            throw node.malformed("has no whole numbers as its shape")
        }
        if isExpansion {
            let data = try weight(node, 0)
            guard let common = Constant.commonShape(data.dimensions, shape) else {
                throw node.malformed("cannot expand \(data.dimensions) to \(shape)")
            }
            _ = try checkedCount(common, node)
            guard let result = data.broadcast(to: common) else {
                throw node.malformed("cannot expand \(data.dimensions) to \(shape)")
            }
            return result
        }
        let count = try checkedCount(shape, node)
        var value: Constant?
        if let tensor = node.tensor("value") { value = try file.constant(tensor, at: node.place) }
        if let integer = value?.integers?.first {
            return Constant(shape, .integers(Array(repeating: integer, count: count)))
        }
        return Constant(shape, .doubles(Array(repeating: value?.scalar ?? 0, count: count)))
    }
}
