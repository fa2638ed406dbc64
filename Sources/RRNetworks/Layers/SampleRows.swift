/// Eight samples of a matrix whose columns are samples, to be read row by row.
///
/// The number of columns is always a multiple of eight.
struct SampleRows<Scalar: NetworkScalar> {
    typealias Lanes = SIMD8<Scalar>

    private let start: UnsafeRawPointer
    private let stride: Int

    /// - Parameter first: the first of the eight samples.
    @inline(__always)
    init(_ matrix: UnsafePointer<Scalar>, sampleCount: Int, first: Int) {
        start = UnsafeRawPointer(matrix + first)
        stride = sampleCount &* MemoryLayout<Scalar>.stride
    }

    @inline(__always)
    subscript(row: Int) -> Lanes { (start + row &* stride).loadUnaligned(as: Lanes.self) }
}

/// Eight samples of a matrix whose columns are samples, to be written row by row.
struct MutableSampleRows<Scalar: NetworkScalar> {
    typealias Lanes = SIMD8<Scalar>

    private let start: UnsafeMutableRawPointer
    private let stride: Int

    @inline(__always)
    init(_ matrix: UnsafeMutablePointer<Scalar>, sampleCount: Int, first: Int) {
        start = UnsafeMutableRawPointer(matrix + first)
        stride = sampleCount &* MemoryLayout<Scalar>.stride
    }

    @inline(__always)
    subscript(row: Int) -> Lanes {
        get { (start + row &* stride).loadUnaligned(as: Lanes.self) }
        nonmutating set { (start + row &* stride).storeBytes(of: newValue, as: Lanes.self) }
    }
}
