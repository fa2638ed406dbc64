import RRTensor

/// A convolution and the frozen normalisation of its output as one convolution, z = W′ x + b′, with W′ = γ r W and
/// b′ = γ r (b − mean) + β, where r = 1 / √(variance + eps) of each channel.
///
/// Between the two nothing is written or kept. With G = ε xᵀ + δ ẋᵀ, taken at z, the gradients are ∇W = γ r G,
/// ∇γ = r (Σ W ∘ G + (b − mean) Σ ε) and ∇β = Σ ε, right for γ = 0 too.
struct NormalizedConvolutionLayer<Scalar: NetworkScalar>: Layer {
    let convolution: ConvolutionLayer<Scalar>
    let normalization: FrozenNormalizationLayer<Scalar>

    /// Returns nil where folding the weights would cost more than the maps that it saves: each pass over a group would read
    /// and write so many weights instead of pixels.
    init?(_ convolution: ConvolutionLayer<Scalar>, _ normalization: FrozenNormalizationLayer<Scalar>) {
        guard convolution.columnRowCount <= 2 * convolution.outputShape.pixelCount else { return nil }
        self.convolution = convolution
        self.normalization = normalization
    }

    var inputShape: ImageShape { convolution.inputShape }
    var outputShape: ImageShape { convolution.outputShape }
    var parameters: [ParameterSpecification] { convolution.parameters + normalization.parameters }
    var parameterParts: [Int] { [convolution.parameterCount, normalization.parameterCount] }
    var needs: LayerNeeds { .product }
    var productCount: Int { convolution.productCount }
    var largestShareCount: Int { convolution.largestShareCount }
    /// The weights are folded, and then the input is convolved by all of them.
    var forwardStageCount: Int { 2 }
    /// The memory of the folded weights' gradient is cleared, it is summed up, and each output's part is taken from there.
    var gradientStageCount: Int { 3 }

    func workspaceCount(capacity: Int) -> Int { convolution.workspaceCount(capacity: capacity) }

    func scratchCounts(capacity: Int) -> ScratchCounts {
        ScratchCounts(foldedGradient: weightCount + outputCount, foldedWeights: weightCount + outputCount)
    }

    func forward(
        _ group: LayerGroup<Scalar>, input: UnsafePointer<Scalar>, output: UnsafeMutablePointer<Scalar>
    ) {
        // For the passes that follow too.
        let folded = group.scratch.foldedWeights.start
        guard group.stage == 1 else {
            return NormalizedConvolution.fold(
                group.parameters, hasBias: convolution.options.bias, channels(group),
                rowCount: convolution.columnRowCount, into: folded)
        }
        convolution.convolve(
            group, input, weights: UnsafePointer(folded), bias: UnsafePointer(folded + weightCount),
            into: output)
    }

    func reverse(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>,
        outputCotangent: UnsafePointer<Scalar>,
        inputCotangent: UnsafeMutablePointer<Scalar>
    ) {
        convolution.convolveTransposed(
            group, outputCotangent, weights: UnsafePointer(group.scratch.foldedWeights.start),
            into: inputCotangent)
    }

    func tangent(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, inputTangent: UnsafePointer<Scalar>,
        outputTangent: UnsafeMutablePointer<Scalar>
    ) {
        convolution.convolve(
            group, inputTangent, weights: UnsafePointer(group.scratch.foldedWeights.start), bias: nil,
            into: outputTangent)
    }

    func gradient(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, secondOrder: SecondOrder<Scalar>?,
        outputAdjoint: UnsafePointer<Scalar>, inputAdjoint: UnsafeMutablePointer<Scalar>?,
        parameterGradient: UnsafeMutablePointer<Scalar>?
    ) {
        let folded = group.scratch.foldedGradient.start
        switch group.stage {
        case 0:
            guard parameterGradient != nil else { return }
            let elements = group.share.range(of: weightCount)
            (folded + elements.lowerBound).clear(count: elements.count)
        case 1:
            if parameterGradient != nil {
                convolution.addWeightGradient(group, at: point, secondOrder, outputAdjoint, to: folded)
            }
            if let inputAdjoint {
                reverse(group, at: point, outputCotangent: outputAdjoint, inputCotangent: inputAdjoint)
            }
        default:
            guard let parameterGradient else { return }
            unfold(group, outputAdjoint, addingTo: parameterGradient)
        }
    }

    /// Adds the gradients of the parameters of a share of outputs.
    private func unfold(
        _ group: LayerGroup<Scalar>, _ outputAdjoint: UnsafePointer<Scalar>,
        addingTo parameterGradient: UnsafeMutablePointer<Scalar>
    ) {
        let folded = group.scratch.foldedGradient.start
        let channels = channels(group)
        Rows.write(
            sumsOf: outputAdjoint + channels.range.lowerBound * channels.columns, rows: channels.range.count,
            columns: channels.columns, into: folded + weightCount + channels.range.lowerBound)
        let gradients = FoldedGradients(
            folded: UnsafePointer(folded), parameters: group.parameters,
            hasBias: convolution.options.bias, channels: channels, rowCount: convolution.columnRowCount)
        if group.trainedParts[0] {
            NormalizedConvolution.addConvolution(gradients, to: parameterGradient)
        }
        if group.trainedParts[1] {
            NormalizedConvolution.addNormalization(
                gradients, to: parameterGradient + convolution.parameterCount)
        }
    }

    private var weightCount: Int { convolution.weightCount }
    private var outputCount: Int { convolution.options.out }

    /// The outputs of a share.
    private func channels(_ group: LayerGroup<Scalar>) -> FrozenChannels<Scalar> {
        normalization.channels(group, group.parameters + convolution.parameterCount)
    }
}

private enum NormalizedConvolution {
    /// Writes W′ and then b′, of a share of outputs.
    ///
    /// - Parameters:
    ///   - parameters: the weights, each output's `rowCount` one after the other, and the biases where there are any.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    static func fold<Scalar: NetworkScalar>(
        _ parameters: UnsafePointer<Scalar>, hasBias: Bool, _ channels: FrozenChannels<Scalar>,
        rowCount: Int,
        into folded: UnsafeMutablePointer<Scalar>
    ) {
        let weightCount = channels.count &* rowCount
        for channel in channels.range {
            let slope = channels.weight(channel) * channels.inverse(channel)
            let weights = parameters + channel &* rowCount
            let target = folded + channel &* rowCount
            for index in 0..<rowCount { target[index] = slope * weights[index] }
            let bias = hasBias ? parameters[weightCount &+ channel] : 0
            folded[weightCount &+ channel] =
                (bias - channels.mean(channel)) * slope + channels.bias(channel)
        }
    }

    /// Adds the gradient of the convolution's weights and biases.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    static func addConvolution<Scalar: NetworkScalar>(
        _ gradients: FoldedGradients<Scalar>, to gradient: UnsafeMutablePointer<Scalar>
    ) {
        let (channels, rowCount) = (gradients.channels, gradients.rowCount)
        for channel in channels.range {
            let slope = channels.weight(channel) * channels.inverse(channel)
            let source = gradients.folded + channel &* rowCount
            let target = gradient + channel &* rowCount
            for index in 0..<rowCount { target[index] += slope * source[index] }
            guard gradients.hasBias else { continue }
            gradient[gradients.weightCount &+ channel] += slope * gradients.sum(channel)
        }
    }

    /// Adds the gradients of γ and of β.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    static func addNormalization<Scalar: NetworkScalar>(
        _ gradients: FoldedGradients<Scalar>, to gradient: UnsafeMutablePointer<Scalar>
    ) {
        let (channels, rowCount) = (gradients.channels, gradients.rowCount)
        for channel in channels.range {
            let bias = gradients.hasBias ? gradients.parameters[gradients.weightCount &+ channel] : 0
            let offset = Double(bias - channels.mean(channel))
            let product = Rows.sumOfProducts(
                gradients.parameters + channel &* rowCount, gradients.folded + channel &* rowCount,
                count: rowCount)
            let sum = gradients.sum(channel)
            gradient[channel] += Scalar(
                (product + offset * Double(sum)) * Double(channels.inverse(channel)))
            gradient[channels.count &+ channel] += sum
        }
    }
}

/// G and Σ ε of each output, with what they belong to.
private struct FoldedGradients<Scalar: NetworkScalar> {
    /// G, and behind it Σ ε.
    let folded: UnsafePointer<Scalar>
    /// The convolution's.
    let parameters: UnsafePointer<Scalar>
    let hasBias: Bool
    let channels: FrozenChannels<Scalar>
    /// The weights of each output.
    let rowCount: Int

    var weightCount: Int { channels.count &* rowCount }

    @inline(__always)
    func sum(_ channel: Int) -> Scalar { folded[weightCount &+ channel] }
}
