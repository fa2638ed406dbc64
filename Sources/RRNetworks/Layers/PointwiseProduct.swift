/// A convolution of single pixels as a product of matrices: (outputs, channels) times (channels, pixels and samples).
///
/// The product is cut into blocks of the result, one product each, which threads share. Where the cuts are depends on the
/// matrices alone, since a product's shape decides on its rounding.
struct PointwiseProduct<Scalar: NetworkScalar> {
    let outputs: Int
    let channels: Int
    /// The pixels of all samples.
    let columns: Int
    let share: WorkShare

    /// Writes weights · input, and adds a bias to each row where there is one.
    func multiply(
        _ weights: UnsafePointer<Scalar>, _ input: UnsafePointer<Scalar>, bias: UnsafePointer<Scalar>?,
        into output: UnsafeMutablePointer<Scalar>
    ) {
        forEachBlock(rows: outputs) { rows, columns in
            let start = rows.lowerBound * self.columns + columns.lowerBound
            if let bias {
                for row in rows {
                    Rows.write(
                        bias[row], into: output + row * self.columns + columns.lowerBound,
                        count: columns.count)
                }
            }
            Scalar.kernels.product(
                MatrixOperand(weights + rows.lowerBound * channels, stride: channels),
                MatrixOperand(input + columns.lowerBound, stride: self.columns),
                ProductExtents(rows: rows.count, columns: columns.count, inner: channels),
                bias == nil ? 0 : 1,
                output + start, self.columns)
        }
    }

    /// Writes weightsᵀ · output.
    func multiplyTransposed(
        _ weights: UnsafePointer<Scalar>, _ output: UnsafePointer<Scalar>,
        into input: UnsafeMutablePointer<Scalar>
    ) {
        forEachBlock(rows: channels) { rows, columns in
            Scalar.kernels.product(
                MatrixOperand(transposing: weights + rows.lowerBound, stride: channels),
                MatrixOperand(output + columns.lowerBound, stride: self.columns),
                ProductExtents(rows: rows.count, columns: columns.count, inner: outputs), 0,
                input + rows.lowerBound * self.columns + columns.lowerBound, self.columns)
        }
    }

    /// Adds output · inputᵀ to the weights' gradient.
    func addOuterProduct(
        _ output: UnsafePointer<Scalar>, _ input: UnsafePointer<Scalar>,
        to gradient: UnsafeMutablePointer<Scalar>
    ) {
        for block in share.range(of: gradientBlockCount) {
            let piece = WorkShare(index: block, count: gradientBlockCount)
            let rows = outputs >= channels ? piece.range(of: outputs) : 0..<outputs
            let inputs = outputs >= channels ? 0..<channels : piece.range(of: channels)
            Scalar.kernels.product(
                MatrixOperand(output + rows.lowerBound * columns, stride: columns),
                MatrixOperand(transposing: input + inputs.lowerBound * columns, stride: columns),
                ProductExtents(rows: rows.count, columns: inputs.count, inner: columns), 1,
                gradient + rows.lowerBound * channels + inputs.lowerBound, channels)
        }
    }

    /// The blocks of a product with so many rows.
    func blockCount(rows: Int) -> Int { blockCount(extent: max(rows, columns)) }

    var gradientBlockCount: Int { blockCount(extent: max(outputs, channels)) }

    /// Some that take tens of microseconds each, and more that take a tenth of a millisecond; of fewer rows or columns at once
    /// the other matrix would be laid out too often.
    private func blockCount(extent: Int) -> Int {
        let products = outputs * channels * columns
        return max(min(max(products >> 23, min(products >> 19, 8)), extent / 32, 64), 1)
    }

    /// Visits the blocks of a share of a product with so many rows, cut where it is longer.
    private func forEachBlock(rows: Int, _ body: (_ rows: Range<Int>, _ columns: Range<Int>) -> Void) {
        let cutsRows = rows > columns
        let blocks = blockCount(rows: rows)
        for block in share.range(of: blocks) {
            let piece = WorkShare(index: block, count: blocks)
            body(
                cutsRows ? piece.range(of: rows) : 0..<rows, cutsRows ? 0..<columns : piece.range(of: columns)
            )
        }
    }
}
