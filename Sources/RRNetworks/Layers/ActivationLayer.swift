import RRTensor

/// A layer that is one function of each element, without parameters.
protocol ElementwiseLayer: Layer {}

extension ElementwiseLayer {
    var outputShape: ImageShape { inputShape }
    var parameters: [ParameterSpecification] { [] }

    func scratchCounts(capacity: Int) -> ScratchCounts { ScratchCounts() }

    var largestShareCount: Int { inputShape.elementCount }

    /// The elements of a group's feature map that are the call's.
    func elements(_ group: LayerGroup<Scalar>) -> Range<Int> {
        group.share.range(of: inputShape.elementCount * group.sampleCount)
    }
}

/// z = φ(x), element by element, for every function but the rectifier, which has a faster layer of its own.
struct ActivationLayer<Scalar: NetworkScalar>: ElementwiseLayer {
    let inputShape: ImageShape
    let activation: Activation

    var needs: LayerNeeds {
        if activation == .clippedRectifier { return .output }
        return activation.isCurved ? [.product, .inputBetween] : [.input, .inputBetween]
    }

    var worksInPlace: Bool { activation == .clippedRectifier }

    /// What is curved keeps its input.
    var isComputedAgain: Bool { activation.isCurved }

    func forward(
        _ group: LayerGroup<Scalar>, input: UnsafePointer<Scalar>, output: UnsafeMutablePointer<Scalar>
    ) {
        ActivationKernels.apply(activation, to: input, into: output, elements(group))
    }

    func reverse(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, outputCotangent: UnsafePointer<Scalar>,
        inputCotangent: UnsafeMutablePointer<Scalar>
    ) {
        ActivationKernels.scale(
            outputCotangent, by: activation, at: place(point), into: inputCotangent, elements(group))
    }

    func tangent(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, inputTangent: UnsafePointer<Scalar>,
        outputTangent: UnsafeMutablePointer<Scalar>
    ) {
        ActivationKernels.scale(
            inputTangent, by: activation, at: place(point), into: outputTangent, elements(group))
    }

    func gradient(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, secondOrder: SecondOrder<Scalar>?,
        outputAdjoint: UnsafePointer<Scalar>, inputAdjoint: UnsafeMutablePointer<Scalar>?,
        parameterGradient: UnsafeMutablePointer<Scalar>?
    ) {
        guard let inputAdjoint else { return }
        // Where nothing is curved, what the penalty would add is not kept.
        guard let secondOrder, activation.isCurved else {
            ActivationKernels.scale(
                outputAdjoint, by: activation, at: place(point), into: inputAdjoint, elements(group))
            return
        }
        ActivationKernels.scaleAndBend(
            outputAdjoint, secondOrder, by: activation, at: place(point), into: inputAdjoint,
            elements(group))
    }
}

extension ActivationLayer {
    /// Where φ' is taken: a clipped rectifier's, at what it gives as at what it gets.
    private func place(_ point: LayerPoint<Scalar>) -> UnsafePointer<Scalar> {
        activation == .clippedRectifier ? point.output : point.input
    }
}

private enum ActivationKernels {
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    static func apply<Scalar: NetworkScalar>(
        _ activation: Activation, to inputs: UnsafePointer<Scalar>,
        into result: UnsafeMutablePointer<Scalar>, _ elements: Range<Int>
    ) {
        if let function = activation.vectorized {
            let start = elements.lowerBound
            return Scalar.kernels.elements.apply(function, inputs + start, result + start, elements.count)
        }
        for index in elements { result[index] = Scalar(activation.value(at: Double(inputs[index]))) }
    }

    /// Multiplies by φ'.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    static func scale<Scalar: NetworkScalar>(
        _ values: UnsafePointer<Scalar>, by activation: Activation, at inputs: UnsafePointer<Scalar>,
        into result: UnsafeMutablePointer<Scalar>, _ elements: Range<Int>
    ) {
        if let function = activation.vectorized {
            let start = elements.lowerBound
            return Scalar.kernels.elements.scale(
                function, inputs + start, values + start, result + start, elements.count)
        }
        for index in elements {
            let slope = activation.derivatives(at: Double(inputs[index])).slope
            result[index] = Scalar(Double(values[index]) * slope)
        }
    }

    /// Writes φ' ε + φ'' ẋ δ.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    static func scaleAndBend<Scalar: NetworkScalar>(
        _ adjoints: UnsafePointer<Scalar>, _ secondOrder: SecondOrder<Scalar>, by activation: Activation,
        at inputs: UnsafePointer<Scalar>, into result: UnsafeMutablePointer<Scalar>, _ elements: Range<Int>
    ) {
        if let function = activation.vectorized {
            let start = elements.lowerBound
            return Scalar.kernels.elements.bend(
                function, inputs + start, adjoints + start, secondOrder.inputTangent + start,
                secondOrder.outputCotangent + start, result + start, elements.count)
        }
        for index in elements {
            let (slope, curvature) = activation.derivatives(at: Double(inputs[index]))
            let product =
                Double(secondOrder.inputTangent[index]) * Double(secondOrder.outputCotangent[index])
            result[index] = Scalar(Double(adjoints[index]) * slope + product * curvature)
        }
    }
}
