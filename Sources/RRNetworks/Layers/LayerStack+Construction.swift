import RRTensor

extension LayerStack {
    /// Builds layers one on the other.
    ///
    /// - Parameter context: what comes before the first layer; its location is the list's.
    /// - Throws: `NetworkError` with the code `shapeMismatch`, naming the layer that cannot take the output of
    ///   the one before it.
    init(_ descriptions: [LayerDescription], in context: LayerContext) throws(NetworkError) {
        var inner = context
        var layers: [any Layer<Scalar>] = []
        var offsets: [Int] = []
        var parameters: [ParameterSpecification] = []
        for (index, description) in descriptions.enumerated() {
            inner.location = "\(context.location)[\(index)]"
            guard let layer = try Self.append(description, to: &inner) else { continue }
            offsets.append(inner.parameterCount - context.parameterCount - layer.parameterCount)
            parameters += layer.parameters.map { $0.named("\(index).\($0.name)") }
            layers.append(layer)
        }
        inputShape = context.shape
        outputShape = inner.shape
        isFlat = inner.isFlat
        self.parameters = parameters
        self.layers = layers
        parameterOffsets = offsets
    }

    /// Builds the shortcut of a residual block: one layer, or none for the identity.
    ///
    /// - Parameter context: what the residual block takes; its location is the projection's.
    init(projection: LayerDescription?, in context: LayerContext) throws(NetworkError) {
        var inner = context
        var layer: (any Layer<Scalar>)?
        if let projection { layer = try Self.append(projection, to: &inner) }
        layers = layer.map { [$0] } ?? []
        inputShape = context.shape
        outputShape = inner.shape
        isFlat = inner.isFlat
        parameters = layers.flatMap(\.parameters)
        parameterOffsets = layers.map { _ in 0 }
    }

    /// Builds one layer, and leaves in the context what comes after it; nil for `flatten`.
    private static func append(
        _ description: LayerDescription, to context: inout LayerContext
    ) throws(NetworkError) -> (any Layer<Scalar>)? {
        let before = context
        let layer = try context.located(description) {
            let layer = try Self.layer(description, in: before)
            if let layer { try checkSize(layer, parametersBefore: before.parameterCount) }
            return layer
        }
        guard let layer else {
            // Flattening moves nothing: a feature map (C, H, W, samples) already is (C · H · W, samples).
            context.isFlat = true
            context.shape = try context.located(description) { try before.shape.flattened() }
            return nil
        }
        context.shape = layer.outputShape
        context.isFlat = context.isFlat || layer.flattens
        context.parameterCount += layer.parameterCount
        return layer
    }

    /// The layer that a description names; nil for `flatten`, which computes nothing.
    private static func layer(
        _ description: LayerDescription, in context: LayerContext
    ) throws -> (any Layer<Scalar>)? {
        switch description {
        case .flatten: nil
        case .conv2d(let options): try ConvolutionLayer<Scalar>(input: context.image(), options)
        case .linear(let options): try LinearLayer<Scalar>(input: context.features(), options)
        case .relu: RectifierLayer<Scalar>(inputShape: context.shape)
        case .leakyrelu(let negativeSlope):
            activation(.leakyRectifier(negativeSlope: negativeSlope), in: context)
        case .gelu(let approximation): activation(.gaussianErrorLinear(approximation), in: context)
        case .silu: activation(.sigmoidLinear, in: context)
        case .softplus(let beta): activation(.softplus(beta: beta), in: context)
        case .tanh: activation(.tanh, in: context)
        case .sigmoid: activation(.sigmoid, in: context)
        case .maxpool2d(let options): try MaxPoolingLayer<Scalar>(input: context.image(), options)
        case .avgpool2d(let options): try AveragePoolingLayer<Scalar>(input: context.image(), options)
        case .adaptiveavgpool2d(let options): try AveragePoolingLayer<Scalar>(input: context.image(), options)
        case .globalavgpool:
            try AveragePoolingLayer<Scalar>(
                input: context.image(), LayerDescription.AdaptivePooling(height: 1, width: 1))
        case .dropout(let probability):
            try DropoutLayer<Scalar>(
                input: context.shape, probability: probability, location: context.location)
        case .groupnorm(let options): try NormalizationLayer<Scalar>(input: context.shape, options)
        case .layernorm(let epsilon):
            NormalizationLayer<Scalar>(
                input: context.shape, isFlat: context.isFlat, layerEpsilon: epsilon)
        case .batchnorm2d(let epsilon):
            try FrozenNormalizationLayer<Scalar>(inputShape: context.image(), epsilon: epsilon)
        case .residual(let options): try ResidualLayer<Scalar>(options, in: context)
        }
    }

    private static func activation(
        _ activation: Activation, in context: LayerContext
    ) -> ActivationLayer<Scalar> {
        ActivationLayer(inputShape: context.shape, activation: activation)
    }

    /// Refuses what no memory holds, before any is asked for.
    private static func checkSize(_ layer: any Layer<Scalar>, parametersBefore count: Int) throws(LayerMisfit)
    {
        guard layer.outputShape.elementCount <= Network<Scalar>.largestFeatureCount else {
            throw LayerMisfit(
                "gives maps of \(layer.outputShape), which is more than "
                    + "\(Network<Scalar>.largestFeatureCount) elements")
        }
        let largest = Network<Scalar>.largestParameterCount
        let sizes = layer.parameters.map { try? TensorShape($0.shape).elementCount }
        guard sizes.allSatisfy({ $0.map { $0 <= largest - count } ?? false }) else {
            throw LayerMisfit("brings the model above \(largest) parameters")
        }
    }
}

extension ImageShape {
    /// The same elements as features without a place.
    fileprivate func flattened() throws(TensorError) -> ImageShape {
        try ImageShape(channels: elementCount, height: 1, width: 1)
    }
}
