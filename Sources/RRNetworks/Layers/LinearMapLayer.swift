/// A layer that multiplies by one matrix, whatever its input, but for what it adds: the tangent goes through the matrix,
/// cotangents go through its transpose.
protocol LinearMapLayer: Layer {
    /// Multiplies features of the layer's input by the matrix.
    func multiply(
        _ group: LayerGroup<Scalar>, _ input: UnsafePointer<Scalar>, into output: UnsafeMutablePointer<Scalar>
    )

    /// Multiplies features of the layer's output by the transposed matrix.
    func multiplyTransposed(
        _ group: LayerGroup<Scalar>, _ output: UnsafePointer<Scalar>, into input: UnsafeMutablePointer<Scalar>
    )

    /// Adds the gradient of the parameters that the layer has.
    func addParameterGradient(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, secondOrder: SecondOrder<Scalar>?,
        outputAdjoint: UnsafePointer<Scalar>, to parameterGradient: UnsafeMutablePointer<Scalar>)
}

extension LinearMapLayer {
    var needs: LayerNeeds { parameterCount == 0 ? [] : .product }

    func reverse(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, outputCotangent: UnsafePointer<Scalar>,
        inputCotangent: UnsafeMutablePointer<Scalar>
    ) { multiplyTransposed(group, outputCotangent, into: inputCotangent) }

    func tangent(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, inputTangent: UnsafePointer<Scalar>,
        outputTangent: UnsafeMutablePointer<Scalar>
    ) { multiply(group, inputTangent, into: outputTangent) }

    func gradient(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, secondOrder: SecondOrder<Scalar>?,
        outputAdjoint: UnsafePointer<Scalar>, inputAdjoint: UnsafeMutablePointer<Scalar>?,
        parameterGradient: UnsafeMutablePointer<Scalar>?
    ) {
        if let parameterGradient {
            addParameterGradient(
                group, at: point, secondOrder: secondOrder, outputAdjoint: outputAdjoint,
                to: parameterGradient)
        }
        if let inputAdjoint { multiplyTransposed(group, outputAdjoint, into: inputAdjoint) }
    }

    func addParameterGradient(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, secondOrder: SecondOrder<Scalar>?,
        outputAdjoint: UnsafePointer<Scalar>, to parameterGradient: UnsafeMutablePointer<Scalar>
    ) {}
}
