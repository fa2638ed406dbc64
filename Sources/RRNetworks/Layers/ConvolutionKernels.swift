internal import CConvolution

/// The direct convolutions of one number type, from `CConvolution`.
struct ConvolutionKernels<Scalar>: Sendable {
    typealias Shape = UnsafePointer<rr_convolution>?
    typealias Elements = UnsafePointer<Scalar>?
    typealias MutableElements = UnsafeMutablePointer<Scalar>?

    typealias Pack =
        @Sendable (_ shape: Shape, _ weights: Elements, _ packed: MutableElements) -> Void
    typealias Convolve =
        @Sendable (
            _ shape: Shape, _ input: Elements, _ packed: Elements, _ bias: Elements, _ output: MutableElements
        ) -> Void
    typealias AddGradient =
        @Sendable (
            _ shape: Shape, _ input: Elements, _ cotangent: Elements, _ sums: MutableElements,
            _ gradient: MutableElements
        ) -> Void

    let pack: Pack
    let packTransposed: Pack
    let convolve: Convolve
    let addGradient: AddGradient
}

extension ConvolutionKernels<Float> {
    static let single = ConvolutionKernels(
        pack: rr_convolution_pack_float, packTransposed: rr_convolution_pack_transposed_float,
        convolve: rr_convolve_float, addGradient: rr_convolution_add_gradient_float)
}

extension ConvolutionKernels<Double> {
    static let double = ConvolutionKernels(
        pack: rr_convolution_pack_double, packTransposed: rr_convolution_pack_transposed_double,
        convolve: rr_convolve_double, addGradient: rr_convolution_add_gradient_double)
}
