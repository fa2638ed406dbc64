import RRTensor

/// The columns of a convolution: what lies under the kernel at each position of the output, as a matrix
/// (C · kernel · kernel, output height · output width · samples).
enum Columns {
    /// Writes, for every input element, the sum over the columns that hold it.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    static func fold<Scalar: NetworkScalar>(
        _ columns: UnsafePointer<Scalar>, _ geometry: WindowGeometry, sampleCount: Int,
        into input: UnsafeMutablePointer<Scalar>
    ) {
        input.update(repeating: 0, count: geometry.input.elementCount &* sampleCount)
        forEachRow(geometry, sampleCount: sampleCount) { row, target, valid in
            guard let target, !valid.isEmpty else { return }
            let source = columns + (row &+ valid.lowerBound &* sampleCount)
            if geometry.stride == 1 {
                add(source, to: input + target, count: valid.count &* sampleCount)
            } else {
                for position in 0..<valid.count {
                    add(
                        source + position &* sampleCount,
                        to: input + (target &+ position &* geometry.stride &* sampleCount), count: sampleCount
                    )
                }
            }
        }
    }

    /// Visits each row of output positions under each kernel element: the row's offset in the columns, the
    /// offset in the input of its first valid position (nil in the padding), and the valid positions.
    @inline(__always)
    private static func forEachRow(
        _ geometry: WindowGeometry, sampleCount: Int,
        _ body: (_ row: Int, _ input: Int?, _ valid: Range<Int>) -> Void
    ) {
        let shape = geometry.input
        var row = 0
        for channel in 0..<shape.channels {
            for kernelRow in 0..<geometry.kernel {
                for kernelColumn in 0..<geometry.kernel {
                    let valid = geometry.validOutputColumns(kernel: kernelColumn)
                    let firstColumn =
                        valid.lowerBound &* geometry.stride &- geometry.padding
                        &+ kernelColumn &* geometry.dilation
                    for outputRow in 0..<geometry.outputHeight {
                        let inputRow = geometry.inputRow(output: outputRow, kernel: kernelRow)
                        let isInside = inputRow >= 0 && inputRow < shape.height
                        let pixel = (channel &* shape.height &+ inputRow) &* shape.width &+ firstColumn
                        body(row, isInside ? pixel &* sampleCount : nil, valid)
                        row &+= geometry.outputWidth &* sampleCount
                    }
                }
            }
        }
    }

    @inline(__always)
    private static func add<Scalar: NetworkScalar>(
        _ source: UnsafePointer<Scalar>, to target: UnsafeMutablePointer<Scalar>, count: Int
    ) {
        for index in 0..<count { target[index] += source[index] }
    }
}
