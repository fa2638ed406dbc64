/// The number type that a network computes in: `Float` or `Double`.
public protocol NetworkScalar: BinaryFloatingPoint, BitwiseCopyable, Sendable {
    /// The matrix product for this type.
    static var kernels: MatrixKernels<Self> { get }
}

extension Float: NetworkScalar {
    public static var kernels: MatrixKernels<Float> { .single }
}

extension Double: NetworkScalar {
    public static var kernels: MatrixKernels<Double> { .double }
}
