public import RRTensor

/// An architecture that is known by name.
public enum BuiltInModel: String, CaseIterable, Sendable {
    /// The 50-30 perceptron of Ross, Hughes and Doshi-Velez (2017).
    case mlp
    /// Two 5×5 convolutions of 20 and 50 channels, each pooled, and 256 hidden units.
    case lenet
    /// Four 3×3 convolutions of 32, 32, 64 and 64 channels, pooled after each pair, and 256 hidden units.
    case convnet
    /// A residual network of three stages of 16, 32 and 64 channels, one block each, with group normalisation in
    /// 8 groups: the smallest of those of He et al. (2016) for small images.
    case resnet8
    /// torchvision's networks, with its names of parameters: ResNet (He et al., 2016), VGG (Simonyan and Zisserman, 2015),
    /// DenseNet (Huang et al., 2017), MobileNet (Sandler et al., 2018; Howard et al., 2019), EfficientNet (Tan and Le,
    /// 2019) and ConvNeXt (Liu et al., 2022). Batch normalisations keep their stored statistics.
    case resnet18, resnet34, resnet50
    case vgg11, vgg16
    case vgg16Normalized = "vgg16_bn"
    case densenet121
    case mobilenetV2 = "mobilenet_v2"
    case mobilenetV3Small = "mobilenet_v3_small"
    case efficientnetB0 = "efficientnet_b0"
    case convnextTiny = "convnext_tiny"

    /// Describes the architecture for images of a shape and a number of classes.
    ///
    /// Whether the images are large enough shows when a `Network` is made of it.
    ///
    /// - Parameters:
    ///   - input: the shape of an image.
    ///   - classCount: the number of classes, of logits.
    ///   - width: what the numbers of channels of torchvision's networks are multiplied by.
    public func description(input: ImageShape, classCount: Int, width: Double = 1) -> ModelDescription {
        let logits = LayerDescription.linear(.init(out: classCount))
        let pool = LayerDescription.maxpool2d(.init(kernel: 2))
        func convolution(_ out: Int) -> LayerDescription { .conv2d(.init(out: out, kernel: 3, padding: 1)) }
        let layers: [LayerDescription] =
            switch self {
            case .mlp:
                [.flatten, .linear(.init(out: 50)), .relu, .linear(.init(out: 30)), .relu, logits]
            case .lenet:
                [
                    .conv2d(.init(out: 20, kernel: 5)), .relu, pool,
                    .conv2d(.init(out: 50, kernel: 5)), .relu, pool,
                    .flatten, .linear(.init(out: 256)), .relu, logits,
                ]
            case .convnet:
                [
                    convolution(32), .relu, convolution(32), .relu, pool,
                    convolution(64), .relu, convolution(64), .relu, pool,
                    .flatten, .linear(.init(out: 256)), .relu, logits,
                ]
            case .resnet8:
                Self.normalized(16) + [.relu] + Self.residual(16, halvesImage: false)
                    + Self.residual(32, halvesImage: true) + Self.residual(64, halvesImage: true) + [
                        .globalavgpool, .flatten, logits,
                    ]
            default: torchvisionLayers(classCount: classCount, width: width)
            }
        return ModelDescription(input: input, classCount: classCount, layers: layers)
    }

    /// Whether the network is torchvision's of the same name.
    public var isFromTorchvision: Bool { ![.mlp, .lenet, .convnet, .resnet8].contains(self) }

    private func torchvisionLayers(classCount: Int, width: Double) -> [LayerDescription] {
        switch self {
        case .resnet18:
            ResidualNetwork(blockCounts: [2, 2, 2, 2], hasBottlenecks: false)
                .layers(classCount: classCount, width: width)
        case .resnet34:
            ResidualNetwork(blockCounts: [3, 4, 6, 3], hasBottlenecks: false)
                .layers(classCount: classCount, width: width)
        case .resnet50:
            ResidualNetwork(blockCounts: [3, 4, 6, 3], hasBottlenecks: true)
                .layers(classCount: classCount, width: width)
        case .vgg11: VisualGeometryNetwork.eleven().layers(classCount: classCount, width: width)
        case .vgg16: VisualGeometryNetwork.sixteen().layers(classCount: classCount, width: width)
        case .vgg16Normalized:
            VisualGeometryNetwork.sixteen(isNormalized: true).layers(classCount: classCount, width: width)
        case .densenet121:
            DenseNetwork(layerCounts: [6, 12, 24, 16]).layers(classCount: classCount, width: width)
        case .mobilenetV2: MobileNetwork.second(classCount: classCount, width: width)
        case .mobilenetV3Small: MobileNetwork.thirdSmall(classCount: classCount, width: width)
        case .efficientnetB0: MobileNetwork.efficient(classCount: classCount, width: width)
        case .convnextTiny: NextNetwork.tiny.layers(classCount: classCount, width: width)
        case .mlp, .lenet, .convnet, .resnet8: []
        }
    }

    /// A 3×3 convolution whose shift is left to the normalisation after it.
    private static func normalized(_ channels: Int, stride: Int = 1) -> [LayerDescription] {
        [
            .conv2d(.init(out: channels, kernel: 3, stride: Extents(stride), padding: 1, bias: false)),
            .groupnorm(.init(groups: 8)),
        ]
    }

    /// A residual block; where it changes the number of channels it halves the image, and a projection does both.
    private static func residual(_ channels: Int, halvesImage: Bool) -> [LayerDescription] {
        let stride = halvesImage ? 2 : 1
        let projection = LayerDescription.conv2d(
            .init(out: channels, kernel: 1, stride: Extents(stride), bias: false))
        return [
            .residual(
                .init(
                    body: normalized(channels, stride: stride) + [.relu] + normalized(channels),
                    projection: halvesImage ? [projection] : [])),
            .relu,
        ]
    }
}
