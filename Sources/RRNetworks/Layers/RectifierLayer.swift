import RRTensor

/// z = max(x, 0); the derivative at 0 is 0, as PyTorch's is.
struct RectifierLayer<Scalar: NetworkScalar>: ElementwiseLayer {
    let inputShape: ImageShape

    var needs: LayerNeeds { .output }
    var worksInPlace: Bool { true }

    func forward(
        _ group: LayerGroup<Scalar>, input: UnsafePointer<Scalar>, output: UnsafeMutablePointer<Scalar>
    ) {
        pass(input, where: input, into: output, elements(group))
    }

    func reverse(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, outputCotangent: UnsafePointer<Scalar>,
        inputCotangent: UnsafeMutablePointer<Scalar>
    ) {
        pass(outputCotangent, where: point.output, into: inputCotangent, elements(group))
    }

    func tangent(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, inputTangent: UnsafePointer<Scalar>,
        outputTangent: UnsafeMutablePointer<Scalar>
    ) {
        pass(inputTangent, where: point.output, into: outputTangent, elements(group))
    }

    func gradient(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, secondOrder: SecondOrder<Scalar>?,
        outputAdjoint: UnsafePointer<Scalar>, inputAdjoint: UnsafeMutablePointer<Scalar>?,
        parameterGradient: UnsafeMutablePointer<Scalar>?
    ) {
        guard let inputAdjoint else { return }
        pass(outputAdjoint, where: point.output, into: inputAdjoint, elements(group))
    }
}

extension RectifierLayer {
    /// Copies the values whose gate is not at or below 0, and zero for the others; a gate that is not a
    /// number lets its value through, so that it shows in the loss.
    private func pass(
        _ values: UnsafePointer<Scalar>, where gate: UnsafePointer<Scalar>,
        into result: UnsafeMutablePointer<Scalar>, _ elements: Range<Int>
    ) {
        let start = elements.lowerBound
        Scalar.kernels.elements.rectify(values + start, gate + start, result + start, elements.count)
    }
}
