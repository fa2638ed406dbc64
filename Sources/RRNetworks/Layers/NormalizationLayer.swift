import RRTensor

/// z = γ x̂ + β with x̂ = (x − μ) r: group or layer normalisation, μ and r = 1/√(σ² + eps) being those of each
/// sample's own groups of elements.
///
/// No sample sees another, so that each one's input gradient is its own.
struct NormalizationLayer<Scalar: NetworkScalar>: Layer {
    let inputShape: ImageShape
    let geometry: NormalizationGeometry
    let epsilon: Double
    private let weightShape: [Int]
    /// The columns of the feature maps that each sample has: its pixels, where each is normalised by itself, else one.
    private let columnsPerSample: Int

    /// Normalises groups of channels, each channel with its γ and β, as PyTorch's `nn.GroupNorm`.
    ///
    /// - Throws: where the groups do not divide the channels.
    init(input: ImageShape, _ options: LayerDescription.GroupNormalization) throws(LayerMisfit) {
        guard input.channels % options.groups == 0 else {
            throw LayerMisfit("cannot split \(input.channels) channels into \(options.groups) groups")
        }
        inputShape = input
        epsilon = options.epsilon
        weightShape = [input.channels]
        columnsPerSample = 1
        geometry = NormalizationGeometry(
            groupCount: options.groups, weightsPerGroup: input.channels / options.groups,
            rowsPerWeight: input.pixelCount)
    }

    /// Normalises all elements together, each with its γ and β, as PyTorch's `nn.LayerNorm` of the shape.
    init(input: ImageShape, isFlat: Bool, layerEpsilon: Double) {
        inputShape = input
        epsilon = layerEpsilon
        weightShape = isFlat ? [input.elementCount] : input.dimensions
        columnsPerSample = 1
        geometry = NormalizationGeometry(
            groupCount: 1, weightsPerGroup: input.elementCount, rowsPerWeight: 1)
    }

    /// Normalises the channels of each pixel, each channel with its γ and β, as torchvision's `LayerNorm2d`.
    ///
    /// Maps (C, H, W, samples) are features (C) of H · W · samples columns, each of them normalised as a sample's.
    init(input: ImageShape, pixelEpsilon: Double) {
        inputShape = input
        epsilon = pixelEpsilon
        weightShape = [input.channels]
        columnsPerSample = input.pixelCount
        geometry = NormalizationGeometry(groupCount: 1, weightsPerGroup: input.channels, rowsPerWeight: 1)
    }

    var outputShape: ImageShape { inputShape }
    var parameters: [ParameterSpecification] { ParameterSpecification.scaleAndShift(weightShape) }

    var largestShareCount: Int { geometry.groupCount * max(columnsPerSample / 8, 1) }

    func scratchCounts(capacity: Int) -> ScratchCounts {
        ScratchCounts(
            sampleStatistics: NormalizationMemory<Scalar>.count(
                geometry, sampleCount: columnsPerSample * capacity))
    }

    func forward(
        _ group: LayerGroup<Scalar>, input: UnsafePointer<Scalar>, output: UnsafeMutablePointer<Scalar>
    ) {
        Normalization.normalize(
            input, geometry, memory(group), epsilon: epsilon, weights: group.parameters,
            biases: group.parameters + geometry.weightCount, into: output)
    }

    func reverse(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, outputCotangent: UnsafePointer<Scalar>,
        inputCotangent: UnsafeMutablePointer<Scalar>
    ) {
        Normalization.transform(
            outputCotangent, at: point.input, geometry, memory(group), saving: .cotangent,
            weights: group.parameters, into: inputCotangent)
    }

    func tangent(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, inputTangent: UnsafePointer<Scalar>,
        outputTangent: UnsafeMutablePointer<Scalar>
    ) {
        Normalization.transform(
            inputTangent, at: point.input, geometry, memory(group), saving: .tangent,
            weights: group.parameters, into: outputTangent)
    }

    func gradient(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, secondOrder: SecondOrder<Scalar>?,
        outputAdjoint: UnsafePointer<Scalar>, inputAdjoint: UnsafeMutablePointer<Scalar>?,
        parameterGradient: UnsafeMutablePointer<Scalar>?
    ) {
        let memory = memory(group)
        if let parameterGradient {
            Normalization.addParameterGradient(
                outputAdjoint, secondOrder, at: point.input, geometry, memory, weights: parameterGradient,
                biases: parameterGradient + geometry.weightCount)
        }
        guard let inputAdjoint else { return }
        Normalization.transform(
            outputAdjoint, at: point.input, geometry, memory, saving: .adjoint, weights: group.parameters,
            into: inputAdjoint)
        if let secondOrder {
            Normalization.addCurvature(
                secondOrder, at: point.input, geometry, memory, weights: group.parameters, to: inputAdjoint)
        }
    }

    private func memory(_ group: LayerGroup<Scalar>) -> NormalizationMemory<Scalar> {
        NormalizationMemory(
            group.scratch, geometry, sampleCount: columnsPerSample * group.sampleCount, group.share)
    }
}
