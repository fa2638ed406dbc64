import RRTensor

/// z = W x + b, with W stored as (out, in).
///
/// A product of many weights is cut into blocks of rows, one product each, which threads share. Where the cuts are depends on
/// the weights alone, since a product's shape decides on its rounding.
struct LinearLayer<Scalar: NetworkScalar>: LinearMapLayer {
    let inputCount: Int
    let outputCount: Int
    let hasBias: Bool
    let inputShape: ImageShape
    let outputShape: ImageShape

    /// - Throws: `TensorError` where the output has too many elements.
    init(input: ImageShape, _ options: LayerDescription.Linear) throws(TensorError) {
        inputCount = input.elementCount
        outputCount = options.out
        hasBias = options.bias
        inputShape = input
        outputShape = try ImageShape(channels: options.out, height: 1, width: 1)
    }

    var parameters: [ParameterSpecification] {
        ParameterSpecification.weightAndBias(weight: [outputCount, inputCount], hasBias: hasBias)
    }

    var productCount: Int { inputCount * outputCount }

    func scratchCounts(capacity: Int) -> ScratchCounts { ScratchCounts() }

    var largestShareCount: Int { blockCount }

    /// One for the heads of most networks, 64 for VGG's 25,088 × 4,096 weights.
    private var blockCount: Int {
        let weightCount = inputCount * outputCount
        return weightCount < 1 << 22 ? 1 : min(weightCount >> 20, 64)
    }

    /// Visits the blocks of a share of rows.
    private func forEachBlock(_ share: WorkShare, rows: Int, _ body: (Range<Int>) -> Void) {
        for block in share.range(of: blockCount) {
            let rows = WorkShare(index: block, count: blockCount).range(of: rows)
            if !rows.isEmpty { body(rows) }
        }
    }

    func forward(
        _ group: LayerGroup<Scalar>, input: UnsafePointer<Scalar>, output: UnsafeMutablePointer<Scalar>
    ) {
        let bias = hasBias ? group.parameters + outputCount * inputCount : nil
        multiply(group, input, bias: bias, into: output)
    }

    func addParameterGradient(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, secondOrder: SecondOrder<Scalar>?,
        outputAdjoint: UnsafePointer<Scalar>, to parameterGradient: UnsafeMutablePointer<Scalar>
    ) {
        addOuterProduct(group, outputAdjoint, point.input, to: parameterGradient)
        if let secondOrder {
            addOuterProduct(
                group, secondOrder.outputCotangent, secondOrder.inputTangent, to: parameterGradient)
        }
        if hasBias {
            forEachBlock(group.share, rows: outputCount) { rows in
                let first = rows.lowerBound
                Rows.addSums(
                    of: outputAdjoint + first * group.sampleCount, rows: rows.count,
                    columns: group.sampleCount,
                    to: parameterGradient + outputCount * inputCount + first)
            }
        }
    }

    func multiply(
        _ group: LayerGroup<Scalar>, _ input: UnsafePointer<Scalar>, into output: UnsafeMutablePointer<Scalar>
    ) { multiply(group, input, bias: nil, into: output) }

    private func multiply(
        _ group: LayerGroup<Scalar>, _ input: UnsafePointer<Scalar>, bias: UnsafePointer<Scalar>?,
        into output: UnsafeMutablePointer<Scalar>
    ) {
        forEachBlock(group.share, rows: outputCount) { rows in
            product(group, rows: rows.count, depth: inputCount).write(
                group.parameters + rows.lowerBound * inputCount, input,
                bias: bias.map { $0 + rows.lowerBound },
                into: output + rows.lowerBound * group.sampleCount)
        }
    }

    func multiplyTransposed(
        _ group: LayerGroup<Scalar>, _ output: UnsafePointer<Scalar>, into input: UnsafeMutablePointer<Scalar>
    ) {
        forEachBlock(group.share, rows: inputCount) { rows in
            product(group, rows: rows.count, depth: outputCount).write(
                group.parameters + rows.lowerBound, isTransposed: true, output,
                into: input + rows.lowerBound * group.sampleCount)
        }
    }

    /// Adds Σ over samples of output · inputᵀ to the weight's gradient.
    private func addOuterProduct(
        _ group: LayerGroup<Scalar>, _ output: UnsafePointer<Scalar>, _ input: UnsafePointer<Scalar>,
        to weightGradient: UnsafeMutablePointer<Scalar>
    ) {
        forEachBlock(group.share, rows: outputCount) { rows in
            product(group, rows: rows.count, depth: inputCount).addGradient(
                output + rows.lowerBound * group.sampleCount, input,
                to: weightGradient + rows.lowerBound * inputCount)
        }
    }

    private func product(_ group: LayerGroup<Scalar>, rows: Int, depth: Int) -> MapProduct<Scalar> {
        MapProduct(
            extents: ProductExtents(rows: rows, columns: group.sampleCount, inner: depth),
            weightStride: inputCount, mapStride: group.sampleCount)
    }
}

extension LinearLayer: GatheringLayer {
    /// Rows of the weights, and then the bias.
    var gradientPieces: [Range<Int>] {
        let weights = (0..<weightPieceCount).map { piece in
            let rows = rows(ofPiece: piece)
            return rows.lowerBound * inputCount..<rows.upperBound * inputCount
        }
        let weightCount = outputCount * inputCount
        return weights + (hasBias ? [weightCount..<weightCount + outputCount] : [])
    }

    func addGradient(
        ofSamples count: Int, piece: Int, _ share: WorkShare, inputs: UnsafePointer<Scalar>,
        outputs: UnsafePointer<Scalar>, countsBias: Bool, _ workspace: UnsafeMutablePointer<Scalar>,
        to gradient: UnsafeMutablePointer<Scalar>
    ) {
        guard piece < weightPieceCount else {
            guard countsBias else { return }
            for row in share.range(of: outputCount) {
                for sample in 0..<count { gradient[row] += outputs[sample * outputCount + row] }
            }
            return
        }
        let start = rows(ofPiece: piece).lowerBound
        for block in blocks(ofPiece: piece, share) {
            let rows = rows(ofBlocks: block..<block + 1)
            guard !rows.isEmpty else { continue }
            Scalar.kernels.product(
                MatrixOperand(transposing: outputs + rows.lowerBound, stride: outputCount),
                MatrixOperand(inputs, stride: inputCount),
                ProductExtents(rows: rows.count, columns: inputCount, inner: count), 1,
                gradient + (rows.lowerBound - start) * inputCount, inputCount)
        }
    }

    /// Blocks enough for the threads of most machines, and some tens of megabytes of the largest layers.
    private var weightPieceCount: Int { (blockCount + 3) / 4 }

    private func rows(ofPiece piece: Int) -> Range<Int> { rows(ofBlocks: blocks(ofPiece: piece, .whole)) }

    private func blocks(ofPiece piece: Int, _ share: WorkShare) -> Range<Int> {
        let blocks = WorkShare(index: piece, count: weightPieceCount).range(of: blockCount)
        let part = share.range(of: blocks.count)
        return blocks.lowerBound + part.lowerBound..<blocks.lowerBound + part.upperBound
    }

    /// The outputs of some blocks.
    private func rows(ofBlocks blocks: Range<Int>) -> Range<Int> {
        func start(_ block: Int) -> Int { outputCount * block / blockCount }
        return start(blocks.lowerBound)..<start(blocks.upperBound)
    }
}
