import RRTensor

/// z = γ x with one γ a channel, as `layer_scale` of torchvision's ConvNeXt: a parameter of shape (C, 1, 1), or (C) of
/// features without a place.
struct LayerScaleLayer<Scalar: NetworkScalar>: LinearMapLayer {
    let inputShape: ImageShape
    /// What γ starts from.
    let initial: Double

    var outputShape: ImageShape { inputShape }

    var parameters: [ParameterSpecification] {
        [
            ParameterSpecification(
                name: "layer_scale", shape: [inputShape.channels, 1, 1], initial: .constant(initial))
        ]
    }

    func scratchCounts(capacity: Int) -> ScratchCounts { ScratchCounts() }

    var largestShareCount: Int { inputShape.channels }

    func forward(
        _ group: LayerGroup<Scalar>, input: UnsafePointer<Scalar>, output: UnsafeMutablePointer<Scalar>
    ) { multiply(group, input, into: output) }

    /// The matrix is diagonal.
    func multiply(
        _ group: LayerGroup<Scalar>, _ input: UnsafePointer<Scalar>, into output: UnsafeMutablePointer<Scalar>
    ) {
        let count = inputShape.pixelCount * group.sampleCount
        for channel in group.share.range(of: inputShape.channels) {
            Rows.write(
                input + channel * count, times: group.parameters[channel], into: output + channel * count,
                count: count)
        }
    }

    func multiplyTransposed(
        _ group: LayerGroup<Scalar>, _ output: UnsafePointer<Scalar>, into input: UnsafeMutablePointer<Scalar>
    ) { multiply(group, output, into: input) }

    /// Adds ∇γ = Σ (ε x + δ ẋ).
    func addParameterGradient(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, secondOrder: SecondOrder<Scalar>?,
        outputAdjoint: UnsafePointer<Scalar>, to parameterGradient: UnsafeMutablePointer<Scalar>
    ) {
        let count = inputShape.pixelCount * group.sampleCount
        for channel in group.share.range(of: inputShape.channels) {
            let start = channel * count
            var sum = Rows.sumOfProducts(outputAdjoint + start, point.input + start, count: count)
            if let secondOrder {
                sum += Rows.sumOfProducts(
                    secondOrder.outputCotangent + start, secondOrder.inputTangent + start, count: count)
            }
            parameterGradient[channel] += Scalar(sum)
        }
    }
}
