internal import CConvolution

/// The direct convolutions of one number type, from `CConvolution`.
struct ConvolutionKernels<Scalar>: Sendable {
    typealias Pack =
        @Sendable (
            _ shape: rr_convolution, _ weights: UnsafePointer<Scalar>, _ packed: UnsafeMutablePointer<Scalar>
        )
        -> Void
    typealias Convolve =
        @Sendable (
            _ shape: rr_convolution, _ input: UnsafePointer<Scalar>, _ packed: UnsafePointer<Scalar>,
            _ bias: UnsafePointer<Scalar>?, _ output: UnsafeMutablePointer<Scalar>
        ) -> Void
    typealias AddGradient =
        @Sendable (
            _ shape: rr_convolution, _ input: UnsafePointer<Scalar>, _ cotangent: UnsafePointer<Scalar>,
            _ sums: UnsafeMutablePointer<Scalar>, _ gradient: UnsafeMutablePointer<Scalar>
        ) -> Void

    let pack: Pack
    let packTransposed: Pack
    let convolve: Convolve
    let addGradient: AddGradient
}

extension ConvolutionKernels<Float> {
    static let single = ConvolutionKernels(
        pack: { shape, weights, packed in
            withUnsafePointer(to: shape) { rr_convolution_pack_float($0, weights, packed) }
        },
        packTransposed: { shape, weights, packed in
            withUnsafePointer(to: shape) { rr_convolution_pack_transposed_float($0, weights, packed) }
        },
        convolve: { shape, input, packed, bias, output in
            withUnsafePointer(to: shape) { rr_convolve_float($0, input, packed, bias, output) }
        },
        addGradient: { shape, input, cotangent, sums, gradient in
            withUnsafePointer(to: shape) {
                rr_convolution_add_gradient_float($0, input, cotangent, sums, gradient)
            }
        })
}

extension ConvolutionKernels<Double> {
    static let double = ConvolutionKernels(
        pack: { shape, weights, packed in
            withUnsafePointer(to: shape) { rr_convolution_pack_double($0, weights, packed) }
        },
        packTransposed: { shape, weights, packed in
            withUnsafePointer(to: shape) { rr_convolution_pack_transposed_double($0, weights, packed) }
        },
        convolve: { shape, input, packed, bias, output in
            withUnsafePointer(to: shape) { rr_convolve_double($0, input, packed, bias, output) }
        },
        addGradient: { shape, input, cotangent, sums, gradient in
            withUnsafePointer(to: shape) {
                rr_convolution_add_gradient_double($0, input, cotangent, sums, gradient)
            }
        })
}
