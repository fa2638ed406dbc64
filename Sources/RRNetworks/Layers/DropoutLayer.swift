import RRTensor

/// In training, leaves out each element with the probability p and multiplies the others by 1 / (1 − p); else
/// the identity. Stochastic depth does the same to whole samples.
struct DropoutLayer<Scalar: NetworkScalar>: LinearMapLayer {
    let inputShape: ImageShape
    let probability: Double
    /// What the masks of this layer differ by from those of another.
    private let identity: UInt64
    /// The elements of a sample that one draw decides on.
    private let span: Int

    /// - Parameters:
    ///   - location: the layer's place in the model.
    ///   - dropsSamples: whether a sample's features are left out together, as torchvision's `StochasticDepth` by rows.
    /// - Throws: `LayerMisfit` where p is no probability below 1.
    init(
        input: ImageShape, probability: Double, location: String, dropsSamples: Bool = false
    ) throws(LayerMisfit) {
        guard probability >= 0, probability < 1 else {
            throw LayerMisfit("\"p\" is \(probability), but must be at least 0 and below 1")
        }
        inputShape = input
        self.probability = probability
        identity = DropoutKey.identity(ofLayerAt: location)
        span = dropsSamples ? input.elementCount : 1
    }

    var outputShape: ImageShape { inputShape }
    var parameters: [ParameterSpecification] { [] }
    var dropsOut: Bool { true }

    func scratchCounts(capacity: Int) -> ScratchCounts {
        ScratchCounts(dropoutFactors: inputShape.elementCount / span * capacity)
    }

    func forward(
        _ group: LayerGroup<Scalar>, input: UnsafePointer<Scalar>, output: UnsafeMutablePointer<Scalar>
    ) {
        if let states = group.dropoutStates {
            Dropout.draw(
                states, layer: identity, probability: probability,
                featureCount: inputShape.elementCount / span,
                sampleCount: group.sampleCount, into: group.scratch.dropoutFactors.start)
        }
        multiply(group, input, into: output)
    }

    /// Every pass is the same: a product with the mask that the forward pass drew.
    func multiply(
        _ group: LayerGroup<Scalar>, _ input: UnsafePointer<Scalar>, into output: UnsafeMutablePointer<Scalar>
    ) {
        let count = inputShape.elementCount * group.sampleCount
        guard group.dropoutStates != nil else { return output.update(from: input, count: count) }
        let factorCount = inputShape.elementCount / span
        HadamardProduct(span: span, factorCount: factorCount).multiply(
            input, by: UnsafePointer(group.scratch.dropoutFactors.start), into: output, 0..<factorCount,
            sampleCount: group.sampleCount)
    }

    func multiplyTransposed(
        _ group: LayerGroup<Scalar>, _ output: UnsafePointer<Scalar>, into input: UnsafeMutablePointer<Scalar>
    ) { multiply(group, output, into: input) }
}

private enum Dropout {
    /// Writes what each element is multiplied by: 0, or 1 / (1 − p).
    ///
    /// - Parameter states: one a sample.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    static func draw<Scalar: NetworkScalar>(
        _ states: UnsafePointer<UInt64>, layer: UInt64, probability: Double, featureCount: Int,
        sampleCount: Int, into factors: UnsafeMutablePointer<Scalar>
    ) {
        // Exact: both sides are multiples of 2⁻⁵³ once p is rounded up to one.
        let threshold = UInt64((probability * 0x1p53).rounded(.up))
        let kept = Scalar(1 / (1 - probability))
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: sampleCount) { streams in
            for sample in 0..<sampleCount { streams[sample] = DropoutKey.fold(layer, into: states[sample]) }
            var position = 0
            for _ in 0..<featureCount {
                for sample in 0..<sampleCount {
                    streams[sample] &+= DropoutKey.golden
                    let isKept = SplitMix64.mix(streams[sample]) >> 11 >= threshold
                    factors[position] = isKept ? kept : 0
                    position &+= 1
                }
            }
        }
    }
}
