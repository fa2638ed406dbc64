internal import CConvolution
internal import COpenBLAS

/// The matrix product of one number type, from OpenBLAS.
///
/// A product runs on the thread that asks for it; the threads are ours, over the batch.
struct MatrixKernels<Scalar>: Sendable {
    /// Row-major `result = left · right + beta · result`.
    typealias Product =
        @Sendable (
            _ left: MatrixOperand<Scalar>, _ right: MatrixOperand<Scalar>, _ extents: ProductExtents,
            _ beta: Scalar, _ result: UnsafeMutablePointer<Scalar>, _ stride: Int
        ) -> Void

    let product: Product
}

/// One factor of a matrix product as it lies in memory: row-major, `stride` elements from row to row.
struct MatrixOperand<Scalar> {
    let elements: UnsafePointer<Scalar>
    let stride: Int
    let transposition: CBLAS_TRANSPOSE

    init(_ elements: UnsafePointer<Scalar>, stride: Int) {
        self.elements = elements
        self.stride = stride
        self.transposition = CblasNoTrans
    }

    /// The transpose of the matrix at `elements`.
    init(transposing elements: UnsafePointer<Scalar>, stride: Int) {
        self.elements = elements
        self.stride = stride
        self.transposition = CblasTrans
    }
}

/// The extents of a product: (rows, inner) times (inner, columns).
struct ProductExtents {
    let rows: Int
    let columns: Int
    let inner: Int
}

extension MatrixKernels<Float> {
    static let single = MatrixKernels { left, right, extents, beta, result, stride in
        LinearAlgebra.preparation
        cblas_sgemm(
            CblasRowMajor, left.transposition, right.transposition, blasint(extents.rows),
            blasint(extents.columns), blasint(extents.inner), 1, left.elements, blasint(left.stride),
            right.elements, blasint(right.stride), beta, result, blasint(stride))
    }
}

extension MatrixKernels<Double> {
    static let double = MatrixKernels { left, right, extents, beta, result, stride in
        LinearAlgebra.preparation
        cblas_dgemm(
            CblasRowMajor, left.transposition, right.transposition, blasint(extents.rows),
            blasint(extents.columns), blasint(extents.inner), 1, left.elements, blasint(left.stride),
            right.elements, blasint(right.stride), beta, result, blasint(stride))
    }
}

/// The linear algebra underneath.
public enum LinearAlgebra {
    /// The names of the processor-specific kernels: that of OpenBLAS for matrix products and ours for
    /// convolutions, for example `SkylakeX avx512`.
    ///
    /// The bits of a result are the same only under the same kernels.
    public static var kernelName: String {
        preparation
        let product = openblas_get_corename().map { String(cString: $0) } ?? "unknown"
        return product + " " + String(cString: rr_convolution_version_name(rr_convolution_best_version()))
    }

    /// The library of matrix products, for example `OpenBLAS 0.3.21`.
    public static var libraryName: String {
        let words = openblas_get_config().map { String(cString: $0) }?.split(separator: " ") ?? []
        return words.isEmpty ? "OpenBLAS" : words.prefix(2).joined(separator: " ")
    }

    /// Has OpenBLAS take kernels that fit the processor, and the calling thread alone.
    static let preparation: Void = {
        switch rr_convolution_best_version() {
        case RR_CONVOLUTION_AVX512: rr_choose_openblas_kernels("SkylakeX")
        case RR_CONVOLUTION_AVX2: rr_choose_openblas_kernels("Haswell")
        default: break
        }
        openblas_set_num_threads(1)
    }()
}
