internal import RRFormats
internal import RRNetworks
internal import RRTensor

/// Layer normalisations that exporters write out as means, squares and roots.
///
/// PyTorch's are (x − mean) / √(variance + eps), to which factors and terms follow; Keras' are x · r + (β − mean · r), r being
/// γ / √(variance + eps).
extension GraphReader {
    /// √(variance + eps).
    mutating func squareRoot(_ node: GraphNode) throws(FormatError) -> Feature {
        let input = try pendingFeature(node)
        guard case .variance(let axes)? = step(of: input)?.partial, let pending = input.pending,
            pending.scale == [1], pending.shift.count == 1
        else { throw unserved(node) }
        var base = input
        base.pending = nil
        return try partial(.deviation(axes, pending.shift[0]), of: base, node)
    }

    /// 1 / √(variance + eps), which is laid out as what it will be multiplied with.
    mutating func reciprocal(_ node: GraphNode) throws(FormatError) -> Feature {
        var input = try pendingFeature(node)
        guard case .deviation(let axes, let epsilon)? = step(of: input)?.partial, input.pending == nil,
            let deviation = step(of: input), let variance = origin(deviation), let square = origin(variance),
            let centered = origin(square), let base = centered.inputs.first
        else { throw unserved(node) }
        input.value = base
        input.dimensions =
            input.dimensions.count == 3 ? input.order.map(input.extent) : [input.shape.elementCount]
        return try partial(.inverseDeviation(axes, epsilon), of: input, node)
    }

    func isInverseDeviation(_ feature: Feature) -> Bool {
        if case .inverseDeviation? = step(of: feature)?.partial { true } else { false }
    }

    /// The difference from a mean; nil for any other.
    mutating func centered(
        _ one: Feature, _ other: Feature, _ node: GraphNode
    ) throws(FormatError) -> Feature? {
        guard case .mean(let axes)? = step(of: other)?.partial, other.pending == nil, one.pending == nil,
            step(of: other)?.inputs == [one.value]
        else { return nil }
        return try partial(.centered(axes), of: one, node)
    }

    /// (x − mean) / √(variance + eps), which alone is served of quotients.
    mutating func quotient(
        _ one: Feature, _ other: Feature, _ node: GraphNode
    ) throws(FormatError) -> Feature {
        guard case .deviation(let axes, let epsilon)? = step(of: other)?.partial, other.pending == nil,
            case .centered(axes)? = step(of: one)?.partial, one.pending == nil,
            let deviation = step(of: other), let variance = origin(deviation), let square = origin(variance),
            square.inputs == [one.value], let centered = step(of: one), let base = centered.inputs.first
        else { throw node.unsupported("divides one feature by another") }
        var input = one
        input.value = base
        return try normalized(input, over: axes, isOfPixels: isOfPixels(input, axes), epsilon: epsilon, node)
    }

    /// x, or its mean, times γ / √(variance + eps); nil for any other product.
    mutating func standardized(
        _ one: Feature, _ other: Feature, _ node: GraphNode
    ) throws(FormatError) -> Feature? {
        for (base, inverse) in [(one, other), (other, one)] {
            guard case .inverseDeviation(let axes, let epsilon)? = step(of: inverse)?.partial,
                let origin = step(of: inverse)?.inputs.first,
                let factors = Self.factors(inverse), let sign = (base.pending ?? .identity).factor
            else { continue }
            var input = inverse
            (input.value, input.pending) = (origin, nil)
            var output: Feature
            if base.value == origin, base.dimensions == inverse.dimensions, base.order == inverse.order {
                output = try partial(.standardized(axes, epsilon), of: input, node)
            } else if step(of: base)?.partial == .mean(axes), step(of: base)?.inputs == [origin] {
                output = try partial(.standardizedMean(axes, epsilon), of: input, node)
            } else {
                continue
            }
            output.pending = Affine(scale: factors.map { $0 * sign }, shift: [0])
            return output
        }
        return nil
    }

    /// x · r + (β − mean · r); nil for any other sum.
    mutating func normalizedSum(
        _ one: Feature, _ other: Feature, _ node: GraphNode
    ) throws(FormatError) -> Feature? {
        for (features, means) in [(one, other), (other, one)] {
            guard case .standardized(let axes, let epsilon)? = step(of: features)?.partial,
                step(of: means)?.partial == .standardizedMean(axes, epsilon),
                let origin = step(of: features)?.inputs.first, step(of: means)?.inputs == [origin],
                let factors = Self.factors(features), let rest = means.pending,
                rest.scale == factors.map({ -$0 })
            else { continue }
            var input = features
            (input.value, input.pending) = (origin, nil)
            var output = try normalized(
                input, over: axes, isOfPixels: isOfPixels(input, axes), epsilon: epsilon, node)
            output.pending = Affine(scale: factors, shift: rest.shift)
            return output
        }
        return nil
    }

    /// What a feature is still multiplied by; nil where something is added too.
    private static func factors(_ feature: Feature) -> [Double]? {
        let pending = feature.pending ?? .identity
        return pending.shift.allSatisfy { $0 == 0 } ? pending.scale : nil
    }

    private func isOfPixels(_ input: Feature, _ axes: [Axis]) -> Bool {
        input.dimensions.count == 3 && axes.allSatisfy { $0 == .channel }
    }

    /// The step that a step reads; nil for the image.
    private func origin(_ step: Step) -> Step? {
        guard let value = step.inputs.first, value > 0 else { return nil }
        return steps[value - 1]
    }
}
