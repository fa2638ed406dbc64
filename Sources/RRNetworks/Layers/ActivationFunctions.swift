internal import CConvolution

/// The functions of each element that have loops of vectors for one number type, from `CConvolution`.
struct ActivationFunctions<Scalar>: Sendable {
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
}

extension ActivationFunctions<Float> {
    static let single = ActivationFunctions(
        apply: rr_activation_apply_float, scale: rr_activation_scale_float,
        bend: rr_activation_bend_float)
}

extension ActivationFunctions<Double> {
    static let double = ActivationFunctions(
        apply: rr_activation_apply_double, scale: rr_activation_scale_double,
        bend: rr_activation_bend_double)
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
