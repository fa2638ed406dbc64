internal import CConvolution

/// What is done element by element in loops of vectors, for one number type, from `CConvolution`.
struct ElementKernels<Scalar>: Sendable {
    typealias Elements = UnsafePointer<Scalar>?
    typealias MutableElements = UnsafeMutablePointer<Scalar>?

    /// Writes φ(x).
    let apply:
        @Sendable (
            _ function: rr_activation, _ inputs: Elements, _ result: MutableElements, _ count: Int
        ) ->
            Void
    /// Writes φ'(x) times values.
    let scale:
        @Sendable (
            _ function: rr_activation, _ inputs: Elements, _ values: Elements, _ result: MutableElements,
            _ count: Int
        ) -> Void
    /// Writes φ'(x) ε + φ''(x) ẋ δ.
    let bend:
        @Sendable (
            _ function: rr_activation, _ inputs: Elements, _ adjoints: Elements, _ tangents: Elements,
            _ cotangents: Elements, _ result: MutableElements, _ count: Int
        ) -> Void
    /// Writes the values whose gate is not at or below 0, and 0 for the others.
    let rectify:
        @Sendable (_ values: Elements, _ gates: Elements, _ result: MutableElements, _ count: Int) -> Void
    /// Writes sums.
    let add:
        @Sendable (_ first: Elements, _ second: Elements, _ result: MutableElements, _ count: Int) -> Void

    typealias SpanLoop =
        @Sendable (
            _ first: Elements, _ second: Elements, _ result: MutableElements, _ factorCount: Int,
            _ span: Int, _ sampleCount: Int, _ adds: Bool
        ) -> Void
    /// Writes, or adds, values (factors, span, samples) times factors (factors, samples).
    let multiplySpans: SpanLoop
    /// Writes, or adds, the sums over the span of the products of two maps (factors, span, samples).
    let sumSpans: SpanLoop

    /// Writes scale times the values, (rows, columns), whose mask is not 0, and 0 for the others, and adds the squares of these
    /// values to each column's sum.
    let mask:
        @Sendable (
            _ values: Elements, _ masks: Elements, _ scale: Scalar, _ result: MutableElements,
            _ sums: UnsafeMutablePointer<Double>?, _ rows: Int, _ columns: Int
        ) -> Void
}

extension ElementKernels<Float> {
    static let single = ElementKernels(
        apply: rr_activation_apply_float, scale: rr_activation_scale_float, bend: rr_activation_bend_float,
        rectify: rr_rectify_float, add: rr_add_float, multiplySpans: rr_multiply_spans_float,
        sumSpans: rr_sum_spans_float, mask: rr_mask_float)
}

extension ElementKernels<Double> {
    static let double = ElementKernels(
        apply: rr_activation_apply_double, scale: rr_activation_scale_double, bend: rr_activation_bend_double,
        rectify: rr_rectify_double, add: rr_add_double, multiplySpans: rr_multiply_spans_double,
        sumSpans: rr_sum_spans_double, mask: rr_mask_double)
}

extension Activation {
    /// The function's loops of vectors, where it has any.
    var vectorized: rr_activation? {
        switch self {
        case .sigmoidLinear: RR_ACTIVATION_SIGMOID_LINEAR
        case .clippedRectifier: RR_ACTIVATION_CLIPPED_RECTIFIER
        case .hardSigmoidLinear: RR_ACTIVATION_HARD_SIGMOID_LINEAR
        case .leakyRectifier, .gaussianErrorLinear, .softplus, .tanh, .hardSigmoid, .sigmoid,
            .exponentialLinear:
            nil
        }
    }
}
