import RRTensor

/// z = max(x, 0); the derivative at 0 is 0, as PyTorch's is.
struct RectifierLayer<Scalar: NetworkScalar>: ElementwiseLayer {
    let inputShape: ImageShape

    var needs: LayerNeeds { .output }
    var worksInPlace: Bool { true }

    func forward(
        _ group: LayerGroup<Scalar>, input: UnsafePointer<Scalar>, output: UnsafeMutablePointer<Scalar>
    ) {
        Rectifier.pass(input, where: input, into: output, elements(group))
    }

    func reverse(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, outputCotangent: UnsafePointer<Scalar>,
        inputCotangent: UnsafeMutablePointer<Scalar>
    ) {
        Rectifier.pass(outputCotangent, where: point.output, into: inputCotangent, elements(group))
    }

    func tangent(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, inputTangent: UnsafePointer<Scalar>,
        outputTangent: UnsafeMutablePointer<Scalar>
    ) {
        Rectifier.pass(inputTangent, where: point.output, into: outputTangent, elements(group))
    }

    func gradient(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, secondOrder: SecondOrder<Scalar>?,
        outputAdjoint: UnsafePointer<Scalar>, inputAdjoint: UnsafeMutablePointer<Scalar>?,
        parameterGradient: UnsafeMutablePointer<Scalar>?
    ) {
        guard let inputAdjoint else { return }
        Rectifier.pass(outputAdjoint, where: point.output, into: inputAdjoint, elements(group))
    }
}

private enum Rectifier {
    /// Copies the values whose gate is not at or below 0, and zero for the others; a gate that is not a
    /// number lets its value through, so that it shows in the loss.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    static func pass<Scalar: NetworkScalar>(
        _ values: UnsafePointer<Scalar>, where gate: UnsafePointer<Scalar>,
        into result: UnsafeMutablePointer<Scalar>, _ elements: Range<Int>
    ) {
        for index in elements {
            // Read in any case: a read that depends on the gate keeps the loop from vector instructions.
            let value = values[index]
            result[index] = gate[index] <= 0 ? 0 : value
        }
    }
}
