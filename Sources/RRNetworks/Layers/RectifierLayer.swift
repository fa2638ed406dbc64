import RRTensor

/// z = max(x, 0); the derivative at 0 is 0, as PyTorch's is.
struct RectifierLayer<Scalar: NetworkScalar>: ElementwiseLayer {
    let inputShape: ImageShape

    func forward(
        _ group: LayerGroup<Scalar>, input: UnsafePointer<Scalar>, output: UnsafeMutablePointer<Scalar>
    ) {
        Rectifier.pass(input, where: input, into: output, count: count(group))
    }

    func reverse(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, outputCotangent: UnsafePointer<Scalar>,
        inputCotangent: UnsafeMutablePointer<Scalar>
    ) {
        Rectifier.pass(outputCotangent, where: point.output, into: inputCotangent, count: count(group))
    }

    func tangent(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, inputTangent: UnsafePointer<Scalar>,
        outputTangent: UnsafeMutablePointer<Scalar>
    ) {
        Rectifier.pass(inputTangent, where: point.output, into: outputTangent, count: count(group))
    }

    func gradient(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, secondOrder: SecondOrder<Scalar>?,
        outputAdjoint: UnsafePointer<Scalar>, inputAdjoint: UnsafeMutablePointer<Scalar>?,
        parameterGradient: UnsafeMutablePointer<Scalar>?
    ) {
        guard let inputAdjoint else { return }
        Rectifier.pass(outputAdjoint, where: point.output, into: inputAdjoint, count: count(group))
    }
}

private enum Rectifier {
    /// Copies the values whose gate is not at or below 0, and zero for the others; a gate that is not a
    /// number lets its value through, so that it shows in the loss.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    static func pass<Scalar: NetworkScalar>(
        _ values: UnsafePointer<Scalar>, where gate: UnsafePointer<Scalar>,
        into result: UnsafeMutablePointer<Scalar>, count: Int
    ) {
        for index in 0..<count {
            // Read in any case: a read that depends on the gate keeps the loop from vector instructions.
            let value = values[index]
            result[index] = gate[index] <= 0 ? 0 : value
        }
    }
}
