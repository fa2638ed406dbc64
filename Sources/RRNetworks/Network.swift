import RRTensor

/// A classifier: the layers of a model, checked against each other, in one number type.
///
/// A network holds no parameters; it is the function that `Parameters` complete.
public struct Network<Scalar: NetworkScalar>: Sendable {
    public let model: ModelDescription
    public let parameterLayout: ParameterLayout

    let layers: [any Layer<Scalar>]
    /// The offset of each layer's parameters in the flat list.
    let parameterOffsets: [Int]

    /// Builds the layers of a model one on the other.
    ///
    /// - Throws: `NetworkError` with the code `shapeMismatch`, naming the layer, where a layer cannot take the
    ///   output of the one before it or the last does not give one logit a class.
    public init(_ model: ModelDescription) throws(NetworkError) {
        var shape = model.input
        var isFlat = false
        var layers: [any Layer<Scalar>] = []
        var offsets: [Int] = []
        var entries: [ParameterLayout.Entry] = []
        var offset = 0
        guard shape.elementCount <= Self.largestFeatureCount else {
            throw NetworkError(
                .shapeMismatch, "input", "\(shape) has more than \(Self.largestFeatureCount) elements")
        }
        for (index, description) in model.layers.enumerated() {
            // Flattening moves nothing: a feature map (C, H, W, samples) already is (C · H · W, samples).
            guard description != .flatten else {
                isFlat = true
                shape = try Self.located(index, description) { try shape.flattened() }
                continue
            }
            let layer = try Self.located(index, description) {
                let layer = try Self.layer(description, input: shape, isFlat: isFlat)
                try Self.checkSize(layer, parametersBefore: offset)
                return layer
            }
            offsets.append(offset)
            for parameter in layer.parameters {
                let range = offset..<offset + parameter.elementCount
                entries.append(
                    .init(
                        name: "\(index).\(parameter.name)", shape: parameter.shape, range: range,
                        fanIn: parameter.fanIn))
                offset = range.upperBound
            }
            layers.append(layer)
            shape = layer.outputShape
        }
        guard !layers.isEmpty, isFlat, shape.elementCount == model.classCount else {
            throw NetworkError(
                .shapeMismatch, "layers",
                "the last layer gives \(isFlat ? "\(shape.elementCount) features" : "maps of \(shape)"), but a "
                    + "model of \(model.classCount) classes must end in \(model.classCount) flat logits")
        }
        self.model = model
        self.layers = layers
        self.parameterOffsets = offsets
        self.parameterLayout = ParameterLayout(entries: entries)
    }

    /// Draws initial parameters as PyTorch's layers do by default: U(−1/√fanIn, 1/√fanIn) for every weight and
    /// bias (`kaiming_uniform_` with a = √5). The same seed gives the same values.
    public func initialParameters(seed: UInt64) -> Parameters<Scalar> {
        var generator = SplitMix64(seed: seed)
        var values: [Scalar] = []
        values.reserveCapacity(parameterLayout.count)
        for entry in parameterLayout.entries {
            let bound = 1 / Double(max(entry.fanIn, 1)).squareRoot()
            for _ in entry.range { values.append(Scalar((2 * generator.nextUnit() - 1) * bound)) }
        }
        return Parameters(layout: parameterLayout, values: values)
    }

    /// Refuses what no memory holds, before any is asked for.
    private static func checkSize(_ layer: any Layer<Scalar>, parametersBefore count: Int) throws(LayerMisfit)
    {
        guard layer.outputShape.elementCount <= largestFeatureCount else {
            throw LayerMisfit(
                "gives maps of \(layer.outputShape), which is more than \(largestFeatureCount) elements")
        }
        let sizes = layer.parameters.map { try? TensorShape($0.shape).elementCount }
        guard sizes.allSatisfy({ $0.map { $0 <= largestParameterCount - count } ?? false }) else {
            throw LayerMisfit("brings the model above \(largestParameterCount) parameters")
        }
    }

    /// 1 GB of float for one sample's feature map.
    private static var largestFeatureCount: Int { 1 << 28 }
    /// 2 GB of float.
    private static var largestParameterCount: Int { 1 << 29 }

    private static func layer(
        _ description: LayerDescription, input: ImageShape, isFlat: Bool
    ) throws -> any Layer<Scalar> {
        guard !isFlat || !description.needsImage else {
            throw LayerMisfit("needs an image, but \"flatten\" comes before it")
        }
        switch description {
        case .conv2d(let options):
            return try ConvolutionLayer<Scalar>(input: input, options)
        case .linear(let options):
            guard isFlat else {
                throw LayerMisfit("needs a flat input, but gets maps of \(input): put \"flatten\" before it")
            }
            return try LinearLayer<Scalar>(input: input, options)
        case .relu, .flatten:
            return RectifierLayer<Scalar>(inputShape: input)
        case .leakyrelu(let negativeSlope):
            return ActivationLayer(
                inputShape: input, activation: .leakyRectifier(negativeSlope: negativeSlope))
        case .gelu(let approximation):
            return ActivationLayer(inputShape: input, activation: .gaussianErrorLinear(approximation))
        case .silu:
            return ActivationLayer(inputShape: input, activation: .sigmoidLinear)
        case .softplus(let beta):
            return ActivationLayer(inputShape: input, activation: .softplus(beta: beta))
        case .tanh:
            return ActivationLayer(inputShape: input, activation: .tanh)
        case .sigmoid:
            return ActivationLayer(inputShape: input, activation: .sigmoid)
        case .maxpool2d(let options):
            return try MaxPoolingLayer<Scalar>(input: input, options)
        case .avgpool2d(let options):
            return try AveragePoolingLayer<Scalar>(input: input, options)
        case .adaptiveavgpool2d(let options):
            return try AveragePoolingLayer<Scalar>(input: input, options)
        case .globalavgpool:
            return try AveragePoolingLayer<Scalar>(
                input: input, LayerDescription.AdaptivePooling(height: 1, width: 1))
        }
    }

    private static func located<Result>(
        _ index: Int, _ description: LayerDescription, _ body: () throws -> Result
    ) throws(NetworkError) -> Result {
        do {
            return try body()
        } catch {
            let message = (error as? LayerMisfit)?.message ?? "\(error)"
            throw NetworkError(.shapeMismatch, "layers[\(index)] (\(description.name))", message)
        }
    }
}

extension ImageShape {
    /// The same elements as features without a place.
    fileprivate func flattened() throws(TensorError) -> ImageShape {
        try ImageShape(channels: elementCount, height: 1, width: 1)
    }
}
