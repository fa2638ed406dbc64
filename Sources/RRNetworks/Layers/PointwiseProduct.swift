/// A convolution of single pixels as a product of matrices: (outputs, channels) times (channels, pixels and samples).
///
/// The product is cut into blocks of the result, one product each, which threads share. Where the cuts are depends on the
/// matrices alone.
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
            product(rows: rows, columns: columns, depth: channels).write(
                weights + rows.lowerBound * channels, input + columns.lowerBound,
                bias: bias.map { $0 + rows.lowerBound },
                into: output + rows.lowerBound * self.columns + columns.lowerBound)
        }
    }

    /// Writes weightsᵀ · output.
    func multiplyTransposed(
        _ weights: UnsafePointer<Scalar>, _ output: UnsafePointer<Scalar>,
        into input: UnsafeMutablePointer<Scalar>
    ) {
        forEachBlock(rows: channels) { rows, columns in
            product(rows: rows, columns: columns, depth: outputs).write(
                weights + rows.lowerBound, isTransposed: true, output + columns.lowerBound,
                into: input + rows.lowerBound * self.columns + columns.lowerBound)
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
            product(rows: rows, columns: 0..<columns, depth: inputs.count).addGradient(
                output + rows.lowerBound * columns, input + inputs.lowerBound * columns,
                to: gradient + rows.lowerBound * channels + inputs.lowerBound)
        }
    }

    private func product(rows: Range<Int>, columns: Range<Int>, depth: Int) -> MapProduct<Scalar> {
        MapProduct(
            extents: ProductExtents(rows: rows.count, columns: columns.count, inner: depth),
            weightStride: channels, mapStride: self.columns)
    }

    /// The blocks of a product with so many rows: some tens of microseconds each.
    func blockCount(rows: Int) -> Int { blockCount(extent: max(rows, columns), most: 64) }

    /// Some that take tens of microseconds each, and more that take a tenth of a millisecond: each lays out the other map anew.
    var gradientBlockCount: Int {
        blockCount(extent: max(outputs, channels), most: max(productCount >> 23, 8))
    }

    private var productCount: Int { outputs * channels * columns }

    private func blockCount(extent: Int, most: Int) -> Int {
        let count = max(min(productCount >> 19, most, extent / 32, 64), 1)
        // Of nine, one thread of eight would have two.
        return count < 8 ? count : count / 8 * 8
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
