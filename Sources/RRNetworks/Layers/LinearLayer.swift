import RRTensor

/// z = W x + b, with W stored as (out, in).
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

    func makeScratch(capacity: Int) -> LayerScratch<Scalar> { LayerScratch() }

    func forward(
        _ group: LayerGroup<Scalar>, input: UnsafePointer<Scalar>, output: UnsafeMutablePointer<Scalar>
    ) {
        multiply(group, input, into: output)
        if hasBias {
            Rows.add(
                group.parameters + outputCount * inputCount, to: output, rows: outputCount,
                columns: group.sampleCount)
        }
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
            Rows.addSums(
                of: outputAdjoint, rows: outputCount, columns: group.sampleCount,
                to: parameterGradient + outputCount * inputCount)
        }
    }

    func multiply(
        _ group: LayerGroup<Scalar>, _ input: UnsafePointer<Scalar>, into output: UnsafeMutablePointer<Scalar>
    ) {
        let count = group.sampleCount
        Scalar.kernels.product(
            MatrixOperand(group.parameters, stride: inputCount), MatrixOperand(input, stride: count),
            ProductExtents(rows: outputCount, columns: count, inner: inputCount), 0, output, count)
    }

    func multiplyTransposed(
        _ group: LayerGroup<Scalar>, _ output: UnsafePointer<Scalar>, into input: UnsafeMutablePointer<Scalar>
    ) {
        let count = group.sampleCount
        Scalar.kernels.product(
            MatrixOperand(transposing: group.parameters, stride: inputCount),
            MatrixOperand(output, stride: count),
            ProductExtents(rows: inputCount, columns: count, inner: outputCount), 0, input, count)
    }

    /// Adds Σ over samples of output · inputᵀ to the weight's gradient.
    private func addOuterProduct(
        _ group: LayerGroup<Scalar>, _ output: UnsafePointer<Scalar>, _ input: UnsafePointer<Scalar>,
        to weightGradient: UnsafeMutablePointer<Scalar>
    ) {
        let count = group.sampleCount
        Scalar.kernels.product(
            MatrixOperand(output, stride: count), MatrixOperand(transposing: input, stride: count),
            ProductExtents(rows: outputCount, columns: inputCount, inner: count), 1, weightGradient,
            inputCount)
    }
}
