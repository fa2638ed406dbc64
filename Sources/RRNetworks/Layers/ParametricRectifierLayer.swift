import RRTensor

/// z = x above 0, else a x, with one a for all channels or one a channel, which is trained: `nn.PReLU`.
///
/// At 0 the derivative is a, as in PyTorch.
struct ParametricRectifierLayer<Scalar: NetworkScalar>: Layer {
    let inputShape: ImageShape
    private let options: LayerDescription.ParametricRectifier

    /// - Throws: where there are neither one slope nor as many as channels.
    init(inputShape: ImageShape, _ options: LayerDescription.ParametricRectifier) throws {
        guard [1, inputShape.channels].contains(options.parameterCount) else {
            throw LayerMisfit(
                "has \(options.parameterCount) slopes for \(inputShape.channels) channels: \"num_parameters\" is 1 "
                    + "or the number of channels")
        }
        self.inputShape = inputShape
        self.options = options
    }

    var outputShape: ImageShape { inputShape }
    var needs: LayerNeeds { [.product, .inputBetween] }

    var parameters: [ParameterSpecification] {
        [
            ParameterSpecification(
                name: "weight", shape: [options.parameterCount], initial: .constant(options.initial))
        ]
    }

    // One slope has the sum over all channels.
    var largestShareCount: Int { options.parameterCount == 1 ? 1 : inputShape.channels }

    func scratchCounts(capacity: Int) -> ScratchCounts { ScratchCounts() }

    func forward(
        _ group: LayerGroup<Scalar>, input: UnsafePointer<Scalar>, output: UnsafeMutablePointer<Scalar>
    ) { write(input, at: input, into: output, group) }

    func reverse(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, outputCotangent: UnsafePointer<Scalar>,
        inputCotangent: UnsafeMutablePointer<Scalar>
    ) { write(outputCotangent, at: point.input, into: inputCotangent, group) }

    func tangent(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, inputTangent: UnsafePointer<Scalar>,
        outputTangent: UnsafeMutablePointer<Scalar>
    ) { write(inputTangent, at: point.input, into: outputTangent, group) }

    /// Adds ∇a = Σ (ε x + δ ẋ) over the elements at or below 0.
    func gradient(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, secondOrder: SecondOrder<Scalar>?,
        outputAdjoint: UnsafePointer<Scalar>, inputAdjoint: UnsafeMutablePointer<Scalar>?,
        parameterGradient: UnsafeMutablePointer<Scalar>?
    ) {
        if let parameterGradient {
            let count = inputShape.pixelCount * group.sampleCount
            var total = 0.0
            for channel in group.share.range(of: inputShape.channels) {
                let start = channel * count
                let gate = point.input + start
                var sum = SlopeKernels.sum(outputAdjoint + start, gate, where: gate, count: count)
                if let secondOrder {
                    sum += SlopeKernels.sum(
                        secondOrder.outputCotangent + start, secondOrder.inputTangent + start, where: gate,
                        count: count)
                }
                total += sum
                if options.parameterCount > 1 { parameterGradient[channel] += Scalar(sum) }
            }
            if options.parameterCount == 1 { parameterGradient[0] += Scalar(total) }
        }
        if let inputAdjoint { write(outputAdjoint, at: point.input, into: inputAdjoint, group) }
    }

    /// Multiplies by the slopes at the input.
    private func write(
        _ values: UnsafePointer<Scalar>, at input: UnsafePointer<Scalar>,
        into result: UnsafeMutablePointer<Scalar>, _ group: LayerGroup<Scalar>
    ) {
        let count = inputShape.pixelCount * group.sampleCount
        for channel in group.share.range(of: inputShape.channels) {
            let start = channel * count
            SlopeKernels.write(
                values + start, times: group.parameters[options.parameterCount == 1 ? 0 : channel],
                where: input + start, into: result + start, count: count)
        }
    }
}

private enum SlopeKernels {
    /// Copies the values whose gate is above 0, and multiplies the others.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    static func write<Scalar: NetworkScalar>(
        _ values: UnsafePointer<Scalar>, times slope: Scalar, where gate: UnsafePointer<Scalar>,
        into result: UnsafeMutablePointer<Scalar>, count: Int
    ) {
        for index in 0..<count {
            let value = values[index]
            result[index] = gate[index] > 0 ? value : slope * value
        }
    }

    /// The sum of the products of two rows where the gate is not above 0, in double.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    static func sum<Scalar: NetworkScalar>(
        _ first: UnsafePointer<Scalar>, _ second: UnsafePointer<Scalar>, where gate: UnsafePointer<Scalar>,
        count: Int
    ) -> Double {
        var sum = 0.0
        for index in 0..<count where !(gate[index] > 0) {
            sum += Double(first[index]) * Double(second[index])
        }
        return sum
    }
}
