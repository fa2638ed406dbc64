internal import RRTensor

/// The columns of a convolution under a stride: what lies under the kernel at each position of the output, as a matrix
/// (C · kernel rows · kernel columns, output height · output width · samples).
enum ConvolutionColumns {
    /// Writes, for every input element, the sum over the columns that hold it.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    static func fold<Scalar: NetworkScalar>(
        _ columns: UnsafePointer<Scalar>, _ geometry: WindowGeometry, sampleCount: Int,
        into input: UnsafeMutablePointer<Scalar>
    ) {
        let shape = geometry.input
        input.update(repeating: 0, count: shape.elementCount &* sampleCount)
        // The output's positions under one element of the kernel, row by row.
        var row = columns
        for channel in 0..<shape.channels {
            for kernelRow in 0..<geometry.rows.kernel {
                for kernelColumn in 0..<geometry.columns.kernel {
                    let valid = geometry.columns.validWindows(tap: kernelColumn)
                    let firstColumn = geometry.columns.place(window: valid.lowerBound, tap: kernelColumn)
                    for outputRow in 0..<geometry.outputHeight {
                        defer { row += geometry.outputWidth &* sampleCount }
                        let inputRow = geometry.rows.place(window: outputRow, tap: kernelRow)
                        guard inputRow >= 0 && inputRow < shape.height else { continue }
                        var source = row + valid.lowerBound &* sampleCount
                        let pixel = (channel &* shape.height &+ inputRow) &* shape.width &+ firstColumn
                        var target = input + pixel &* sampleCount
                        for _ in valid {
                            for sample in 0..<sampleCount { target[sample] += source[sample] }
                            source += sampleCount
                            target += geometry.columns.stride &* sampleCount
                        }
                    }
                }
            }
        }
    }
}
