internal import RRFormats
internal import RRNetworks
internal import RRTensor

/// Sums and products, with constants and of features, and the layers that exporters write out as several of them.
extension GraphReader {
    mutating func arithmetic(_ node: GraphNode) throws(FormatError) -> Feature {
        switch node.kind {
        case "Neg": return try scaled(try pendingFeature(node), [-1], node: node)
        case "Sqrt": return try squareRoot(node)
        case "Reciprocal": return try reciprocal(node)
        case "Pow":
            let exponent = try weight(node, 1).scalar
            guard exponent == 2 || exponent == 3 else {
                throw node.unsupported("raises to other than the power 2 or 3")
            }
            return try power(exponent == 2 ? .square : .cube, try pendingFeature(node), node)
        case "Min", "Max": return try bounded(node)
        default: break
        }
        guard node.inputs.count == 2 else { throw node.malformed("has \(node.inputs.count) inputs") }
        let constants = node.inputs.map { name in
            if case .constant(let constant)? = values[name] { constant } else { nil as Constant? }
        }
        if let constant = constants[1] {
            return try changed(try pendingFeature(node, 0), by: constant, isFirst: false, node)
        }
        if let constant = constants[0] {
            return try changed(try pendingFeature(node, 1), by: constant, isFirst: true, node)
        }
        let (one, other) = (try pendingFeature(node, 0), try pendingFeature(node, 1))
        switch node.kind {
        case "Add": return try sum(one, other, node)
        case "Mul": return try product(one, other, node)
        case "Sub":
            if let centered = try centered(one, other, node) { return centered }
            return try sum(one, try scaled(other, [-1], node: node), node)
        default: return try quotient(one, other, node)
        }
    }

    /// The larger of a feature and 0, and the smaller of that and 6, as Keras has a rectifier.
    private mutating func bounded(_ node: GraphNode) throws(FormatError) -> Feature {
        let position = node.inputs.firstIndex { if case .constant? = values[$0] { false } else { true } } ?? 0
        guard node.inputs.count == 2, let bound = try weight(node, 1 - position).scalar else {
            throw node.unsupported("limits by other than one number")
        }
        let input = try feature(node, position)
        if node.kind == "Max", bound == 0 {
            return try append(.layer(.relu), of: [input], shape: input.shape, node: node)
        }
        guard node.kind == "Min", bound == 6, let step = step(of: input), case .relu? = step.layer else {
            throw node.unsupported("limits by \(bound); 0 from below and 6 from above are served")
        }
        var base = input
        base.value = step.inputs[0]
        return try append(.layer(.relu6), of: [base], shape: input.shape, node: node)
    }

    // MARK: Constants

    /// A feature with a constant added, subtracted, or times it.
    private mutating func changed(
        _ feature: Feature, by constant: Constant, isFirst: Bool, _ node: GraphNode
    ) throws(FormatError) -> Feature {
        let values = try elements(of: constant, for: feature, node)
        switch node.kind {
        case "Add": return try shifted(feature, values, name: constant.name, node: node)
        case "Sub" where isFirst:
            return try shifted(
                try scaled(feature, [-1], node: node), values, name: nil, node: node)
        case "Sub": return try shifted(feature, values.map { -$0 }, name: nil, node: node)
        case "Mul": return try scaled(feature, values, name: constant.name, node: node)
        default:
            guard !isFirst, !values.contains(0) else {
                throw node.unsupported("divides by what depends on the image, or by 0")
            }
            return try scaled(feature, values.map { 1 / $0 }, node: node)
        }
    }

    private mutating func scaled(
        _ feature: Feature, _ factors: [Double], name: String? = nil, node: GraphNode
    ) throws(FormatError) -> Feature {
        var feature = feature
        // A layer keeps its bias where a factor for each channel follows, as ConvNeXt's do: both are trained.
        if factors.count > 1, feature.isAlone, let pending = feature.pending, pending.scale == [1],
            pending.shift.count > 1, step(of: feature)?.layer?.givenBias() != nil
        {
            feature = try settled(feature, for: node)
        }
        if let pending = (feature.pending ?? .identity).times(factors, name: name) {
            return feature.with(pending)
        }
        let settled = try settled(feature, for: node)
        return settled.with(Affine(scale: factors, shift: [0], names: (name, nil)))
    }

    private mutating func shifted(
        _ feature: Feature, _ terms: [Double], name: String?, node: GraphNode
    ) throws(FormatError) -> Feature {
        guard feature.padding == nil else { throw node.unsupported("adds to a map with zeros around it") }
        if let pending = (feature.pending ?? .identity).plus(terms, name: name) {
            return feature.with(pending)
        }
        let settled = try settled(feature, for: node)
        return settled.with(Affine(scale: [1], shift: terms, names: (nil, name)))
    }

    /// The elements of a constant for a feature's: one, one a channel, or one an element in the layers' order.
    func elements(
        of constant: Constant, for feature: Feature, _ node: GraphNode
    ) throws(FormatError) -> [Double] {
        if constant.count == 1 {
            // A number such as 0.044715, of the precision that the exporter had.
            if case .floats(let values) = constant.elements { return [GraphNode.unrounded(values[0])] }
            return constant.doubles
        }
        let rank = feature.dimensions.count
        var extents = constant.dimensions
        if extents.count == rank + 1, extents[0] == 1 { extents.removeFirst() }
        guard extents.count <= rank else {
            throw node.unsupported("has a constant of \(constant.dimensions) for \(layout(of: feature))")
        }
        extents = Array(repeating: 1, count: rank - extents.count) + extents
        guard zip(extents, feature.dimensions).allSatisfy({ $0 == 1 || $0 == $1 }),
            let axes = feature.longAxes(in: extents.indices.filter { extents[$0] > 1 })
        else { throw node.unsupported("has a constant of \(constant.dimensions) for \(layout(of: feature))") }
        if axes == [.channel] { return constant.doubles }
        guard axes == feature.longAxes, feature.hasLayerOrder, constant.count == feature.shape.elementCount
        else {
            throw node.unsupported(
                "has a constant of \(constant.dimensions) for \(layout(of: feature)); one number, one a channel and one an "
                    + "element are served")
        }
        return constant.doubles
    }

    // MARK: Features

    private mutating func sum(
        _ one: Feature, _ other: Feature, _ node: GraphNode
    ) throws(FormatError) -> Feature {
        if let normalized = try normalizedSum(one, other, node) { return normalized }
        for (cubed, base) in [(one, other), (other, one)] {
            if step(of: cubed)?.partial == .cube, let factor = cubed.pending?.factor,
                Self.isNear(factor, 0.044715), step(of: cubed)?.inputs == [base.value], base.pending == nil
            {
                return try partial(.tanhArgument, of: base, node)
            }
        }
        var (one, other) = (try settled(one, for: node), try settled(other, for: node))
        guard one.padding == nil, other.padding == nil else {
            throw node.unsupported("adds maps with zeros around them")
        }
        guard one.dimensions == other.dimensions, one.shape == other.shape, one.longAxes == other.longAxes
        else {
            throw node.unsupported(
                "adds \(layout(of: one)) of \(one.shape) and \(layout(of: other)) of \(other.shape)")
        }
        if isFlat(one) != isFlat(other) { (one, other) = (try flat(one, node), try flat(other, node)) }
        return try append(.add, of: [one, other], shape: one.shape, node: node)
    }

    private mutating func product(
        _ one: Feature, _ other: Feature, _ node: GraphNode
    ) throws(FormatError) -> Feature {
        if let standardized = try standardized(one, other, node) { return standardized }
        for (base, gate) in [(one, other), (other, one)] {
            if let layer = try gated(base, gate, node) { return layer }
        }
        if one.value == other.value, one.pending == nil, other.pending == nil {
            return try power(.square, one, node)
        }
        for (square, base) in [(one, other), (other, one)] {
            if step(of: square)?.partial == .square, step(of: square)?.inputs == [base.value],
                square.pending == nil, base.pending == nil
            {
                return try partial(.cube, of: base, node)
            }
        }
        return try gate(try settled(one, for: node), try settled(other, for: node), node)
    }

    /// x times a function of x that is known by a name of its own; nil for any other.
    private mutating func gated(
        _ base: Feature, _ gate: Feature, _ node: GraphNode
    ) throws(FormatError) -> Feature? {
        guard let step = step(of: gate), step.inputs == [base.value],
            let factor = (base.pending ?? .identity).factor
        else { return nil }
        let pending = gate.pending ?? .identity
        guard pending.scale.count == 1, pending.shift.count == 1 else { return nil }
        let (slope, shift) = (pending.scale[0], pending.shift[0])
        let found: (layer: LayerDescription, factor: Double)?
        switch (step.layer, step.partial) {
        case (.sigmoid?, _) where shift == 0: found = (.silu, slope)
        case (.hardsigmoid?, _) where shift == 0: found = (.hardswish, slope)
        case (_, .clippedShift?) where shift == 0: found = (.hardswish, slope * 6)
        case (_, .errorFunction?) where shift == slope: found = (.gelu(), slope * 2)
        case (_, .tanhGate?) where shift == slope: found = (.gelu(.tanh), slope * 2)
        default: found = nil
        }
        guard let found else { return nil }
        var plain = base
        plain.pending = nil
        let output = try append(.layer(found.layer), of: [plain], shape: base.shape, node: node)
        let rest = found.factor * factor
        return Self.isNear(rest, 1) ? output : output.with(Affine(scale: [rest], shift: [0]))
    }

    /// The product of two features, one of which may have a factor for each channel.
    private mutating func gate(
        _ one: Feature, _ other: Feature, _ node: GraphNode
    ) throws(FormatError) -> Feature {
        guard one.padding == nil, other.padding == nil else {
            throw node.unsupported("multiplies maps with zeros around them")
        }
        let isFirstSmaller = one.shape.elementCount < other.shape.elementCount
        var (features, factors) = isFirstSmaller ? (other, one) : (one, other)
        let axis = features.order.firstIndex(of: .channel) ?? 0
        let isForEachChannel =
            factors.shape.pixelCount == 1 && factors.shape.channels == features.shape.channels
            && features.dimensions.count == 3 && features.isArranged(features.order)
            && factors.dimensions.count == 3 && factors.dimensions[axis] == factors.shape.channels
        guard
            isForEachChannel
                || (features.dimensions == factors.dimensions && features.shape == factors.shape
                    && features.longAxes == factors.longAxes)
        else {
            throw node.unsupported(
                "multiplies \(layout(of: one)) of \(one.shape) by \(layout(of: other)) of \(other.shape); a factor for "
                    + "each element or for each channel is served")
        }
        if isFlat(features), !isFlat(factors) { factors = try flat(factors, node) }
        if features.shape == factors.shape, isFlat(factors), !isFlat(features) {
            let (dimensions, order) = (features.dimensions, features.order)
            features = try flat(features, node)
            (features.dimensions, features.order) = (dimensions, order)
        }
        return try append(.multiply, of: [features, factors], shape: features.shape, node: node)
    }

    private mutating func power(
        _ kind: Step.Partial, _ input: Feature, _ node: GraphNode
    ) throws(FormatError) -> Feature {
        if case .centered(let axes)? = step(of: input)?.partial, kind == .square, input.pending == nil {
            return try partial(.centeredSquare(axes), of: input, node)
        }
        return try partial(kind, of: try settled(input, for: node), node)
    }

    /// What a part of a layer is where it stands alone after all.
    mutating func completed(
        _ feature: Feature, _ partial: Step.Partial, _ step: Step, _ node: GraphNode
    ) throws(FormatError) -> Feature {
        var base = feature
        base.value = step.inputs[0]
        base.pending = nil
        let pending = feature.pending
        switch partial {
        case .clippedShift:
            if let factor = pending?.factor, Self.isNear(factor, 1.0 / 6) {
                return try append(.layer(.hardsigmoid), of: [base], shape: feature.shape, node: node)
            }
        case .square where pending == nil:
            return try append(.multiply, of: [base, base], shape: feature.shape, node: node)
        default: break
        }
        throw FormatError(
            .unsupported, path: "\(file.path):\(step.place)",
            partial == .softmax
                ? "stands within the network; at its end it would be left out"
                : "is a part of no layer that is served")
    }
}

extension Feature {
    fileprivate func with(_ pending: Affine) -> Feature {
        var feature = self
        feature.pending = pending
        return feature
    }
}
