import RRTensor

/// The unfolding of a convolution's input into the columns that its weight multiplies, and the way back.
///
/// The columns are a matrix (C · kernel · kernel, output height · output width · samples).
enum Columns {
    /// Copies the input element under every kernel element at every output position; the padding is zero.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    static func unfold<Scalar: NetworkScalar>(
        _ input: UnsafePointer<Scalar>, _ geometry: WindowGeometry, sampleCount: Int,
        into columns: UnsafeMutablePointer<Scalar>
    ) {
        let rowCount = geometry.outputWidth &* sampleCount
        forEachRow(geometry, sampleCount: sampleCount) { row, source, valid in
            let target = columns + row
            guard let source, !valid.isEmpty else {
                target.update(repeating: 0, count: rowCount)
                return
            }
            let start = valid.lowerBound &* sampleCount
            let end = valid.upperBound &* sampleCount
            target.update(repeating: 0, count: start)
            if geometry.stride == 1 {
                (target + start).update(from: input + source, count: end &- start)
            } else {
                var from = source
                var to = start
                while to < end {
                    (target + to).update(from: input + from, count: sampleCount)
                    from &+= geometry.stride &* sampleCount
                    to &+= sampleCount
                }
            }
            (target + end).update(repeating: 0, count: rowCount &- end)
        }
    }

    /// Writes, for every input element, the sum over the columns that `unfold` copied it to.
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
