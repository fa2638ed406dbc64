internal import CConvolution

/// The product of weights with a map (features, columns), and its gradient. The columns are the samples of a group, or its
/// pixels and samples.
///
/// Which kernels take it depends on its extents alone, since they differ in their rounding.
struct MapProduct<Scalar: NetworkScalar> {
    /// The rows and columns of the result, and the features that each of its elements is a sum over.
    let extents: ProductExtents
    /// From one row of the weights, as they lie in memory, to the next.
    let weightStride: Int
    /// From one feature of a map to the next.
    let mapStride: Int

    /// Writes weights · input, and adds a bias to each row where there is one.
    ///
    /// - Parameters:
    ///   - weights: (rows, features), or (features, rows) where `isTransposed`.
    ///   - input: (features, columns).
    ///   - output: (rows, columns).
    func write(
        _ weights: UnsafePointer<Scalar>, isTransposed: Bool = false, _ input: UnsafePointer<Scalar>,
        bias: UnsafePointer<Scalar>? = nil, into output: UnsafeMutablePointer<Scalar>
    ) {
        if fillsVectors {
            var map = linearMap
            if isTransposed { swap(&map.row_step, &map.depth_step) }
            return Scalar.kernels.linear.apply(&map, weights, bias, input, output)
        }
        if let bias {
            for row in 0..<extents.rows {
                Rows.write(bias[row], into: output + row * mapStride, count: extents.columns)
            }
        }
        Scalar.kernels.product(
            isTransposed
                ? MatrixOperand(transposing: weights, stride: weightStride)
                : MatrixOperand(weights, stride: weightStride),
            MatrixOperand(input, stride: mapStride), extents, bias == nil ? 0 : 1, output, mapStride)
    }

    /// Adds left · rightᵀ, summed over columns, to the weights' gradient, (rows, features).
    ///
    /// - Parameters:
    ///   - left: (rows, columns).
    ///   - right: (features, columns).
    func addGradient(
        _ left: UnsafePointer<Scalar>, _ right: UnsafePointer<Scalar>,
        to gradient: UnsafeMutablePointer<Scalar>
    ) {
        if fillsVectors {
            var map = linearMap
            return Scalar.kernels.linear.addGradient(&map, left, right, gradient)
        }
        Scalar.kernels.product(
            MatrixOperand(left, stride: mapStride), MatrixOperand(transposing: right, stride: mapStride),
            ProductExtents(rows: extents.rows, columns: extents.inner, inner: extents.columns), 1, gradient,
            weightStride)
    }

    /// Products of fewer columns are a library's.
    private var fillsVectors: Bool { extents.columns >= 8 }

    private var linearMap: rr_linear_map {
        rr_linear_map(
            version: rr_convolution_best_version(), rows: extents.rows, depth: extents.inner,
            columns: extents.columns, row_step: weightStride, depth_step: 1, map_step: mapStride)
    }
}
