import RRTensor

/// z = body(x) + shortcut(x), where the shortcut is a projection or x itself.
///
/// At the split, what comes back through the two branches adds up: δ in the first reverse pass, ε in the second.
struct ResidualLayer<Scalar: NetworkScalar>: Layer {
    let body: LayerStack<Scalar>
    /// A list of one layer, or of none: the identity.
    let shortcut: LayerStack<Scalar>

    /// - Throws: `NetworkError` for a layer inside that cannot take its input; `LayerMisfit` where the branches do not
    ///   give the same shape.
    init(_ options: LayerDescription.Residual, in context: LayerContext) throws {
        var inner = context
        inner.location = "\(context.location).body"
        body = try LayerStack(options.body, in: inner)
        inner.parameterCount += body.parameterCount
        inner.location = "\(context.location).projection"
        shortcut = try LayerStack(projection: options.projection, in: inner)
        guard body.outputShape == shortcut.outputShape, body.isFlat == shortcut.isFlat else {
            let remedy =
                options.projection == nil
                ? ": give it a \"projection\" to that shape, for example a conv2d with kernel 1" : ""
            throw LayerMisfit(
                "adds a body that gives \(Self.text(body)) to a shortcut that gives \(Self.text(shortcut))"
                    + remedy)
        }
    }

    var inputShape: ImageShape { body.inputShape }
    var outputShape: ImageShape { body.outputShape }
    var flattens: Bool { body.isFlat }
    var dropsOut: Bool { body.dropsOut || shortcut.dropsOut }

    var parameters: [ParameterSpecification] {
        body.parameters.map { $0.named("body.\($0.name)") }
            + shortcut.layers.flatMap(\.parameters).map { $0.named("projection.\($0.name)") }
    }

    var featureCount: Int { body.featureCount + shortcut.featureCount + outputShape.elementCount }

    func makeScratch(capacity: Int) -> LayerScratch<Scalar> {
        let outputCount = outputShape.elementCount * capacity
        let largest = max(inputShape.elementCount * capacity, outputCount)
        return LayerScratch(
            innerScratch: [body.makeScratch(capacity: capacity), shortcut.makeScratch(capacity: capacity)],
            innerFeatureCounts: [outputCount, outputCount], spareFeatureCounts: [largest])
    }

    func forward(
        _ group: LayerGroup<Scalar>, input: UnsafePointer<Scalar>, output: UnsafeMutablePointer<Scalar>
    ) {
        // Each branch keeps its own output: its last layer may want it again.
        let (first, second) = (bodyGroup(group), shortcutGroup(group))
        let bodyOutput = group.scratch.innerFeatures[0].value.start
        body.forward(first, input: input, output: bodyOutput)
        var addend = input
        if hasProjection {
            let shortcutOutput = group.scratch.innerFeatures[1].value.start
            shortcut.forward(second, input: input, output: shortcutOutput)
            addend = UnsafePointer(shortcutOutput)
        }
        Rows.write(
            sumOf: UnsafePointer(bodyOutput), addend, into: output,
            count: outputShape.elementCount * group.sampleCount)
    }

    func reverse(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, outputCotangent: UnsafePointer<Scalar>,
        inputCotangent: UnsafeMutablePointer<Scalar>
    ) {
        let count = inputShape.elementCount * group.sampleCount
        body.reverse(
            bodyGroup(group), at: branchPoint(0, group, point), outputCotangent: outputCotangent,
            inputCotangent: inputCotangent)
        var addend = outputCotangent
        if hasProjection {
            let spare = group.scratch.spareFeatures[0].start
            shortcut.reverse(
                shortcutGroup(group), at: branchPoint(1, group, point), outputCotangent: outputCotangent,
                inputCotangent: spare)
            addend = UnsafePointer(spare)
        }
        Rows.write(sumOf: UnsafePointer(inputCotangent), addend, into: inputCotangent, count: count)
    }

    func tangent(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, inputTangent: UnsafePointer<Scalar>,
        outputTangent: UnsafeMutablePointer<Scalar>
    ) {
        body.tangent(
            bodyGroup(group), at: branchPoint(0, group, point), inputTangent: inputTangent,
            outputTangent: outputTangent)
        var addend = inputTangent
        if hasProjection {
            let spare = group.scratch.spareFeatures[0].start
            shortcut.tangent(
                shortcutGroup(group), at: branchPoint(1, group, point), inputTangent: inputTangent,
                outputTangent: spare)
            addend = UnsafePointer(spare)
        }
        Rows.write(
            sumOf: UnsafePointer(outputTangent), addend, into: outputTangent,
            count: outputShape.elementCount * group.sampleCount)
    }

    func gradient(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, secondOrder: SecondOrder<Scalar>?,
        outputAdjoint: UnsafePointer<Scalar>, inputAdjoint: UnsafeMutablePointer<Scalar>?,
        parameterGradient: UnsafeMutablePointer<Scalar>
    ) {
        body.gradient(
            bodyGroup(group), at: branchPoint(0, group, point), secondOrder: secondOrder,
            outputAdjoint: outputAdjoint, inputAdjoint: inputAdjoint, parameterGradient: parameterGradient)
        var addend = outputAdjoint
        if hasProjection {
            let spare = inputAdjoint == nil ? nil : group.scratch.spareFeatures[0].start
            shortcut.gradient(
                shortcutGroup(group), at: branchPoint(1, group, point), secondOrder: secondOrder,
                outputAdjoint: outputAdjoint, inputAdjoint: spare,
                parameterGradient: parameterGradient + body.parameterCount)
            if let spare { addend = UnsafePointer(spare) }
        }
        if let inputAdjoint {
            Rows.write(
                sumOf: UnsafePointer(inputAdjoint), addend, into: inputAdjoint,
                count: inputShape.elementCount * group.sampleCount)
        }
    }
}

extension ResidualLayer {
    private var hasProjection: Bool { !shortcut.layers.isEmpty }

    private func bodyGroup(_ group: LayerGroup<Scalar>) -> LayerGroup<Scalar> {
        var nested = group
        nested.scratch = group.scratch.innerScratch[0]
        return nested
    }

    private func shortcutGroup(_ group: LayerGroup<Scalar>) -> LayerGroup<Scalar> {
        var nested = group
        nested.parameters += body.parameterCount
        nested.scratch = group.scratch.innerScratch[1]
        return nested
    }

    private func branchPoint(
        _ branch: Int, _ group: LayerGroup<Scalar>, _ point: LayerPoint<Scalar>
    ) -> LayerPoint<Scalar> {
        LayerPoint(
            input: point.input, output: UnsafePointer(group.scratch.innerFeatures[branch].value.start))
    }

    private static func text(_ branch: LayerStack<Scalar>) -> String {
        branch.isFlat ? "\(branch.outputShape.elementCount) features" : "maps of \(branch.outputShape)"
    }
}
