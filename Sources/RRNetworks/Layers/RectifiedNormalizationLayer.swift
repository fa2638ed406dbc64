import RRTensor

/// h = max(γ x̂ + β, 0), a frozen normalisation and the rectifier behind it as one.
///
/// All passes find out from x which elements the rectifier lets through, so h is wanted by the layer behind alone, and is
/// computed anew where that layer wants it in the last pass: a network whose layers each normalise all maps before them,
/// as DenseNet's do, keeps none of these.
struct RectifiedNormalizationLayer<Scalar: NetworkScalar>: Layer {
    let normalization: FrozenNormalizationLayer<Scalar>

    var inputShape: ImageShape { normalization.inputShape }
    var outputShape: ImageShape { normalization.outputShape }
    var parameters: [ParameterSpecification] { normalization.parameters }
    var needs: LayerNeeds { [.product, .inputBetween] }
    var isComputedAgain: Bool { true }
    var largestShareCount: Int { normalization.largestShareCount }

    func scratchCounts(capacity: Int) -> ScratchCounts { ScratchCounts() }

    func forward(
        _ group: LayerGroup<Scalar>, input: UnsafePointer<Scalar>, output: UnsafeMutablePointer<Scalar>
    ) { RectifiedNormalization.normalize(input, channels(group), into: output) }

    func reverse(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>,
        outputCotangent: UnsafePointer<Scalar>,
        inputCotangent: UnsafeMutablePointer<Scalar>
    ) {
        RectifiedNormalization.scale(
            outputCotangent, at: point.input, channels(group), into: inputCotangent)
    }

    func tangent(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, inputTangent: UnsafePointer<Scalar>,
        outputTangent: UnsafeMutablePointer<Scalar>
    ) {
        RectifiedNormalization.scale(
            inputTangent, at: point.input, channels(group), into: outputTangent)
    }

    func gradient(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, secondOrder: SecondOrder<Scalar>?,
        outputAdjoint: UnsafePointer<Scalar>, inputAdjoint: UnsafeMutablePointer<Scalar>?,
        parameterGradient: UnsafeMutablePointer<Scalar>?
    ) {
        if let parameterGradient {
            RectifiedNormalization.addParameterGradient(
                outputAdjoint, secondOrder, at: point.input, channels(group), to: parameterGradient)
        }
        if let inputAdjoint {
            RectifiedNormalization.scale(
                outputAdjoint, at: point.input, channels(group), into: inputAdjoint)
        }
    }

    private func channels(_ group: LayerGroup<Scalar>) -> FrozenChannels<Scalar> {
        normalization.channels(group, group.parameters)
    }
}

private enum RectifiedNormalization {
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    static func normalize<Scalar: NetworkScalar>(
        _ input: UnsafePointer<Scalar>, _ channels: FrozenChannels<Scalar>,
        into output: UnsafeMutablePointer<Scalar>
    ) {
        for channel in channels.range {
            let (mean, bias) = (channels.mean(channel), channels.bias(channel))
            let slope = channels.weight(channel) * channels.inverse(channel)
            let x = input + channel &* channels.columns
            let h = output + channel &* channels.columns
            for column in 0..<channels.columns {
                let z = (x[column] - mean) * slope + bias
                h[column] = z <= 0 ? 0 : z
            }
        }
    }

    /// Multiplies by dh/dx.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    static func scale<Scalar: NetworkScalar>(
        _ values: UnsafePointer<Scalar>, at input: UnsafePointer<Scalar>,
        _ channels: FrozenChannels<Scalar>,
        into result: UnsafeMutablePointer<Scalar>
    ) {
        for channel in channels.range {
            let (mean, bias) = (channels.mean(channel), channels.bias(channel))
            let slope = channels.weight(channel) * channels.inverse(channel)
            let x = input + channel &* channels.columns
            let source = values + channel &* channels.columns
            let target = result + channel &* channels.columns
            for column in 0..<channels.columns {
                let product = slope * source[column]
                target[column] = (x[column] - mean) * slope + bias <= 0 ? 0 : product
            }
        }
    }

    /// Adds ∇γ = Σ (ε x̂ + δ ẋ / √(variance + eps)) and ∇β = Σ ε over what the rectifier lets through.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    static func addParameterGradient<Scalar: NetworkScalar>(
        _ adjoints: UnsafePointer<Scalar>, _ secondOrder: SecondOrder<Scalar>?,
        at input: UnsafePointer<Scalar>, _ channels: FrozenChannels<Scalar>,
        to parameterGradient: UnsafeMutablePointer<Scalar>
    ) {
        for channel in channels.range {
            let start = channel &* channels.columns
            let (mean, shift) = (channels.mean(channel), channels.bias(channel))
            let slope = channels.weight(channel) * channels.inverse(channel)
            let parts = input + start
            let (weight, bias) = Self.sums(channels.columns) { position in
                let centered = parts[position] - mean
                let adjoint = adjoints[start &+ position]
                let open: Scalar = centered * slope + shift <= 0 ? 0 : adjoint
                return (open * centered, open)
            }
            var second = 0.0
            if let secondOrder {
                let cotangents = secondOrder.outputCotangent + start
                let tangents = secondOrder.inputTangent + start
                second =
                    Self.sums(channels.columns) { position in
                        let product = cotangents[position] * tangents[position]
                        return ((parts[position] - mean) * slope + shift <= 0 ? 0 : product, 0)
                    }.0
            }
            parameterGradient[channel] += Scalar((weight + second) * Double(channels.inverse(channel)))
            parameterGradient[channels.count &+ channel] += Scalar(bias)
        }
    }

    /// The sums of two terms of each position, in double.
    @inline(__always)
    private static func sums<Scalar: NetworkScalar>(
        _ count: Int, _ terms: (_ position: Int) -> (Scalar, Scalar)
    ) -> (Double, Double) {
        // Four in step: one alone would wait for each addition in turn.
        var first = (0.0, 0.0, 0.0, 0.0)
        var second = first
        var position = 0
        while position &+ 4 <= count {
            let (a, b) = (terms(position), terms(position &+ 1))
            let (c, d) = (terms(position &+ 2), terms(position &+ 3))
            first.0 += Double(a.0)
            first.1 += Double(b.0)
            first.2 += Double(c.0)
            first.3 += Double(d.0)
            second.0 += Double(a.1)
            second.1 += Double(b.1)
            second.2 += Double(c.1)
            second.3 += Double(d.1)
            position &+= 4
        }
        while position < count {
            let last = terms(position)
            first.0 += Double(last.0)
            second.0 += Double(last.1)
            position &+= 1
        }
        return (
            (first.0 + first.1) + (first.2 + first.3), (second.0 + second.1) + (second.2 + second.3)
        )
    }
}
