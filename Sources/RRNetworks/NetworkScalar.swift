/// The number type that a network computes in: `Float` or `Double`.
public protocol NetworkScalar: BinaryFloatingPoint, SIMDScalar, Codable, BitwiseCopyable, Sendable {
    /// The loops over many numbers that are written for this type.
    static var kernels: NetworkKernels<Self> { get }
}

extension Float: NetworkScalar {
    public static var kernels: NetworkKernels<Float> { .single }
}

extension Double: NetworkScalar {
    public static var kernels: NetworkKernels<Double> { .double }
}

/// The matrix product and the convolutions of one number type.
public struct NetworkKernels<Scalar>: Sendable {
    let product: MatrixKernels<Scalar>.Product
    let convolution: ConvolutionKernels<Scalar>
}

extension NetworkKernels<Float> {
    static let single = NetworkKernels(product: MatrixKernels.single.product, convolution: .single)
}

extension NetworkKernels<Double> {
    static let double = NetworkKernels(product: MatrixKernels.double.product, convolution: .double)
}
