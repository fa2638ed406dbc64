import RRTensor

/// z = γ x̂ + β with x̂ = (x − mean) / √(variance + eps) of each channel: batch normalisation by statistics that
/// are stored with the weights and never change, as PyTorch's in evaluation mode.
///
/// Statistics of the batch at hand would make a sample's input gradient depend on the other samples.
struct FrozenNormalizationLayer<Scalar: NetworkScalar>: LinearMapLayer {
    let inputShape: ImageShape
    let epsilon: Double

    var outputShape: ImageShape { inputShape }

    var parameters: [ParameterSpecification] {
        let shape = [inputShape.channels]
        return ParameterSpecification.scaleAndShift(shape) + [
            ParameterSpecification(
                name: "running_mean", shape: shape, initial: .constant(0), isTrained: false),
            ParameterSpecification(
                name: "running_var", shape: shape, initial: .constant(1), isTrained: false,
                epsilon: epsilon),
        ]
    }

    func scratchCounts(capacity: Int) -> ScratchCounts { ScratchCounts() }

    var largestShareCount: Int { inputShape.channels }

    func forward(
        _ group: LayerGroup<Scalar>, input: UnsafePointer<Scalar>, output: UnsafeMutablePointer<Scalar>
    ) {
        FrozenNormalization.normalize(input, channels(group), into: output)
    }

    /// The matrix is diagonal.
    func multiply(
        _ group: LayerGroup<Scalar>, _ input: UnsafePointer<Scalar>, into output: UnsafeMutablePointer<Scalar>
    ) { FrozenNormalization.scale(input, channels(group), into: output) }

    func multiplyTransposed(
        _ group: LayerGroup<Scalar>, _ output: UnsafePointer<Scalar>, into input: UnsafeMutablePointer<Scalar>
    ) { FrozenNormalization.scale(output, channels(group), into: input) }

    func addParameterGradient(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, secondOrder: SecondOrder<Scalar>?,
        outputAdjoint: UnsafePointer<Scalar>, to parameterGradient: UnsafeMutablePointer<Scalar>
    ) {
        FrozenNormalization.addParameterGradient(
            outputAdjoint, secondOrder, at: point.input, channels(group), to: parameterGradient)
    }

    private func channels(_ group: LayerGroup<Scalar>) -> FrozenChannels<Scalar> {
        channels(group, group.parameters)
    }

    /// - Parameter parameters: the layer's own.
    func channels(
        _ group: LayerGroup<Scalar>, _ parameters: UnsafePointer<Scalar>
    ) -> FrozenChannels<Scalar> {
        FrozenChannels(
            count: inputShape.channels, range: group.share.range(of: inputShape.channels),
            columns: inputShape.pixelCount * group.sampleCount, epsilon: epsilon, parameters: parameters)
    }
}

/// The channels of a frozen normalisation, one a row of its feature maps.
struct FrozenChannels<Scalar: NetworkScalar> {
    let count: Int
    /// The channels that are the call's.
    let range: Range<Int>
    let columns: Int
    let epsilon: Double
    /// γ, β, the means and the variances, one after the other.
    let parameters: UnsafePointer<Scalar>

    @inline(__always)
    func weight(_ channel: Int) -> Scalar { parameters[channel] }
    @inline(__always)
    func bias(_ channel: Int) -> Scalar { parameters[count &+ channel] }
    @inline(__always)
    func mean(_ channel: Int) -> Scalar { parameters[2 &* count &+ channel] }
    /// 1 / √(variance + eps).
    @inline(__always)
    func inverse(_ channel: Int) -> Scalar {
        Scalar(1 / (Double(parameters[3 &* count &+ channel]) + epsilon).squareRoot())
    }
}

private enum FrozenNormalization {
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
            let z = output + channel &* channels.columns
            for column in 0..<channels.columns { z[column] = (x[column] - mean) * slope + bias }
        }
    }

    /// Multiplies by dz/dx of the channel.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    static func scale<Scalar: NetworkScalar>(
        _ values: UnsafePointer<Scalar>, _ channels: FrozenChannels<Scalar>,
        into result: UnsafeMutablePointer<Scalar>
    ) {
        for channel in channels.range {
            let slope = channels.weight(channel) * channels.inverse(channel)
            let source = values + channel &* channels.columns
            let target = result + channel &* channels.columns
            for column in 0..<channels.columns { target[column] = slope * source[column] }
        }
    }

    /// Adds ∇γ = Σ (ε x̂ + δ ẋ / √(variance + eps)) and ∇β = Σ ε.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    static func addParameterGradient<Scalar: NetworkScalar>(
        _ adjoints: UnsafePointer<Scalar>, _ secondOrder: SecondOrder<Scalar>?,
        at input: UnsafePointer<Scalar>, _ channels: FrozenChannels<Scalar>,
        to parameterGradient: UnsafeMutablePointer<Scalar>
    ) {
        for channel in channels.range {
            let start = channel &* channels.columns
            let mean = channels.mean(channel)
            var (weight, bias) = (0.0, 0.0)
            for position in start..<start &+ channels.columns {
                weight += Double(adjoints[position] * (input[position] - mean))
                bias += Double(adjoints[position])
            }
            if let secondOrder {
                for position in start..<start &+ channels.columns {
                    weight += Double(
                        secondOrder.outputCotangent[position] * secondOrder.inputTangent[position])
                }
            }
            parameterGradient[channel] += Scalar(weight * Double(channels.inverse(channel)))
            parameterGradient[channels.count &+ channel] += Scalar(bias)
        }
    }
}
