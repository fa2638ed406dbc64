import RRTensor

/// Makes the layers that descriptions name.
enum LayerFactory<Scalar: NetworkScalar> {
    /// The layer of a description that is one layer.
    ///
    /// - Throws: where it cannot take its input.
    static func layer(
        _ description: LayerDescription, in context: LayerContext
    ) throws -> any Layer<Scalar> {
        switch description {
        case .conv2d(let options): try ConvolutionLayer<Scalar>(input: context.image(), options)
        case .linear(let options): try LinearLayer<Scalar>(input: context.features(), options)
        case .linear2d(let options): try ConvolutionLayer<Scalar>(input: context.image(), options)
        case .relu: RectifierLayer<Scalar>(inputShape: context.shape)
        case .relu6: activation(.clippedRectifier, in: context)
        case .leakyrelu(let negativeSlope):
            activation(.leakyRectifier(negativeSlope: negativeSlope), in: context)
        case .prelu(let options):
            try ParametricRectifierLayer<Scalar>(inputShape: context.shape, options)
        case .elu(let alpha): activation(.exponentialLinear(alpha: alpha), in: context)
        case .gelu(let approximation): activation(.gaussianErrorLinear(approximation), in: context)
        case .silu: activation(.sigmoidLinear, in: context)
        case .hardswish: activation(.hardSigmoidLinear, in: context)
        case .hardsigmoid: activation(.hardSigmoid, in: context)
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
        case .stochasticdepth(let probability):
            try DropoutLayer<Scalar>(
                input: context.shape, probability: probability, location: context.location,
                dropsSamples: true)
        case .narrow(let options): try ChannelSelectionLayer<Scalar>(input: context.shape, options)
        case .channelshuffle(let groups):
            try ChannelSelectionLayer<Scalar>(input: context.shape, shufflingGroups: groups)
        case .groupnorm(let options): try NormalizationLayer<Scalar>(input: context.shape, options)
        case .layernorm(let epsilon):
            NormalizationLayer<Scalar>(
                input: context.shape, isFlat: context.isFlat, layerEpsilon: epsilon)
        case .layernorm2d(let epsilon):
            try NormalizationLayer<Scalar>(input: context.image(), pixelEpsilon: epsilon)
        case .batchnorm2d(let epsilon):
            try FrozenNormalizationLayer<Scalar>(inputShape: context.image(), epsilon: epsilon)
        case .batchnorm1d(let epsilon):
            try FrozenNormalizationLayer<Scalar>(inputShape: context.features(), epsilon: epsilon)
        case .flatten, .residual, .concat, .multiply, .graph, .named:
            throw LayerMisfit("is no single layer")
        }
    }

    private static func activation(
        _ activation: Activation, in context: LayerContext
    ) -> ActivationLayer<Scalar> {
        ActivationLayer(inputShape: context.shape, activation: activation)
    }
}
