internal import CConvolution

/// Products of weights with maps (features, columns), for one number type, from `CConvolution`. The columns are the samples of a
/// group, or its pixels and samples.
struct LinearKernels<Scalar>: Sendable {
    typealias Map = UnsafePointer<rr_linear_map>?
    typealias Elements = UnsafePointer<Scalar>?
    typealias MutableElements = UnsafeMutablePointer<Scalar>?
    typealias WriteColumns<Source> =
        @Sendable (
            _ version: rr_convolution_version, _ batch: UnsafePointer<Source>?, _ rows: UnsafePointer<Int>?,
            _ columnCount: Int, _ elementCount: Int, _ matrix: MutableElements
        ) -> Void

    /// Writes the product of weights and a map.
    let apply:
        @Sendable (
            _ map: Map, _ weights: Elements, _ bias: Elements, _ input: Elements, _ output: MutableElements
        ) -> Void
    /// Adds the products of two maps, summed over columns.
    let addGradient:
        @Sendable (_ map: Map, _ left: Elements, _ right: Elements, _ gradient: MutableElements) -> Void
    /// Writes images as columns of a matrix.
    let writeImages: WriteColumns<Float>
    /// Writes masks so.
    let writeMasks: WriteColumns<UInt8>
}

extension LinearKernels<Float> {
    static let single = LinearKernels(
        apply: rr_linear_apply_float, addGradient: rr_linear_add_gradient_float,
        writeImages: rr_write_columns_float_float, writeMasks: rr_write_columns_uint8_t_float)
}

extension LinearKernels<Double> {
    static let double = LinearKernels(
        apply: rr_linear_apply_double, addGradient: rr_linear_add_gradient_double,
        writeImages: rr_write_columns_float_double, writeMasks: rr_write_columns_uint8_t_double)
}
