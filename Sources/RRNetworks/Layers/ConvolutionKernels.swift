internal import CConvolution

/// The direct convolutions of one number type, from `CConvolution`.
struct ConvolutionKernels<Scalar>: Sendable {
    typealias Shape = UnsafePointer<rr_convolution>?
    typealias Elements = UnsafePointer<Scalar>?
    typealias MutableElements = UnsafeMutablePointer<Scalar>?

    typealias Convolve =
        @Sendable (
            _ shape: Shape, _ input: Elements, _ weights: Elements, _ bias: Elements,
            _ packed: MutableElements, _ output: MutableElements
        ) -> Void
    typealias AddGradient =
        @Sendable (
            _ shape: Shape, _ input: Elements, _ cotangent: Elements, _ sums: MutableElements,
            _ gradient: MutableElements
        ) -> Void

    let convolve: Convolve
    let addGradient: AddGradient
}

extension ConvolutionKernels<Float> {
    static let single = ConvolutionKernels(
        convolve: rr_convolve_float, addGradient: rr_convolution_add_gradient_float)
}

extension ConvolutionKernels<Double> {
    static let double = ConvolutionKernels(
        convolve: rr_convolve_double, addGradient: rr_convolution_add_gradient_double)
}
