import RRTensor

/// A list of layers, each fed by the one before it, that computes as one layer.
///
/// A network is one, and so is each branch of a residual block: lists nest, and so does their scratch.
struct LayerStack<Scalar: NetworkScalar>: Layer {
    let inputShape: ImageShape
    let outputShape: ImageShape
    /// Whether the output is features without a place.
    let isFlat: Bool
    let parameters: [ParameterSpecification]
    /// Without `flatten`, which moves nothing.
    let layers: [any Layer<Scalar>]
    /// The offset of each layer's parameters in the stack's own.
    let parameterOffsets: [Int]

    var flattens: Bool { isFlat }
    var dropsOut: Bool { layers.contains { $0.dropsOut } }
    var featureCount: Int { layers.reduce(0) { $0 + $1.featureCount } }

    func makeScratch(capacity: Int) -> LayerScratch<Scalar> {
        let counts = layers.dropLast().map { $0.outputShape.elementCount * capacity }
        let largest = counts.max() ?? 0
        return LayerScratch(
            innerScratch: layers.map { $0.makeScratch(capacity: capacity) }, innerFeatureCounts: counts,
            spareFeatureCounts: [largest, largest])
    }

    func forward(
        _ group: LayerGroup<Scalar>, input: UnsafePointer<Scalar>, output: UnsafeMutablePointer<Scalar>
    ) {
        guard !layers.isEmpty else { return copy(input, to: output, group) }
        let outside = LayerPoint(input: input, output: UnsafePointer(output))
        for (index, layer) in layers.enumerated() {
            layer.forward(
                nested(group, index), input: point(group, outside, index).input,
                output: index == lastIndex ? output : group.scratch.innerFeatures[index].value.start)
        }
    }

    func reverse(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, outputCotangent: UnsafePointer<Scalar>,
        inputCotangent: UnsafeMutablePointer<Scalar>
    ) {
        guard !layers.isEmpty else { return copy(outputCotangent, to: inputCotangent, group) }
        for (index, layer) in layers.enumerated().reversed() {
            layer.reverse(
                nested(group, index), at: self.point(group, point, index),
                outputCotangent: self.outputCotangent(group, outputCotangent, index),
                inputCotangent: index == 0
                    ? inputCotangent : group.scratch.innerFeatures[index - 1].cotangent.start)
        }
    }

    func tangent(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, inputTangent: UnsafePointer<Scalar>,
        outputTangent: UnsafeMutablePointer<Scalar>
    ) {
        guard !layers.isEmpty else { return copy(inputTangent, to: outputTangent, group) }
        for (index, layer) in layers.enumerated() {
            layer.tangent(
                nested(group, index), at: self.point(group, point, index),
                inputTangent: self.inputTangent(group, inputTangent, index),
                outputTangent: index == lastIndex
                    ? outputTangent : group.scratch.innerFeatures[index].tangent.start)
        }
    }

    func gradient(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, secondOrder: SecondOrder<Scalar>?,
        outputAdjoint: UnsafePointer<Scalar>, inputAdjoint: UnsafeMutablePointer<Scalar>?,
        parameterGradient: UnsafeMutablePointer<Scalar>
    ) {
        guard !layers.isEmpty else {
            if let inputAdjoint { copy(outputAdjoint, to: inputAdjoint, group) }
            return
        }
        // ε is wanted only by the layer at hand: its output's and its input's take turns in two buffers.
        var (adjoint, next) = (outputAdjoint, 0)
        for (index, layer) in layers.enumerated().reversed() {
            let layerSecondOrder = secondOrder.map {
                SecondOrder(
                    outputCotangent: outputCotangent(group, $0.outputCotangent, index),
                    inputTangent: inputTangent(group, $0.inputTangent, index))
            }
            let target = index == 0 ? inputAdjoint : group.scratch.spareFeatures[next].start
            layer.gradient(
                nested(group, index), at: self.point(group, point, index), secondOrder: layerSecondOrder,
                outputAdjoint: adjoint, inputAdjoint: target,
                parameterGradient: parameterGradient + parameterOffsets[index])
            if let target { adjoint = UnsafePointer(target) }
            next = 1 - next
        }
    }
}

/// What each layer of the list finds at its ends: the list's own ends, or what lies between two layers.
extension LayerStack {
    private var lastIndex: Int { layers.count - 1 }

    private func nested(_ group: LayerGroup<Scalar>, _ index: Int) -> LayerGroup<Scalar> {
        var nested = group
        nested.parameters += parameterOffsets[index]
        nested.scratch = group.scratch.innerScratch[index]
        return nested
    }

    private func point(
        _ group: LayerGroup<Scalar>, _ outside: LayerPoint<Scalar>, _ index: Int
    ) -> LayerPoint<Scalar> {
        let features = group.scratch.innerFeatures
        return LayerPoint(
            input: index == 0 ? outside.input : UnsafePointer(features[index - 1].value.start),
            output: index == lastIndex ? outside.output : UnsafePointer(features[index].value.start))
    }

    private func outputCotangent(
        _ group: LayerGroup<Scalar>, _ outside: UnsafePointer<Scalar>, _ index: Int
    ) -> UnsafePointer<Scalar> {
        index == lastIndex ? outside : UnsafePointer(group.scratch.innerFeatures[index].cotangent.start)
    }

    private func inputTangent(
        _ group: LayerGroup<Scalar>, _ outside: UnsafePointer<Scalar>, _ index: Int
    ) -> UnsafePointer<Scalar> {
        index == 0 ? outside : UnsafePointer(group.scratch.innerFeatures[index - 1].tangent.start)
    }

    /// A list without layers is the identity.
    private func copy(
        _ source: UnsafePointer<Scalar>, to target: UnsafeMutablePointer<Scalar>,
        _ group: LayerGroup<Scalar>
    ) {
        target.update(from: source, count: inputShape.elementCount * group.sampleCount)
    }
}
