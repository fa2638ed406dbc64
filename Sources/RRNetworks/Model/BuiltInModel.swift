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

    /// Describes the architecture for images of a shape and a number of classes.
    ///
    /// Whether the images are large enough shows when a `Network` is made of it.
    public func description(input: ImageShape, classCount: Int) -> ModelDescription {
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
            }
        return ModelDescription(input: input, classCount: classCount, layers: layers)
    }

    /// A 3×3 convolution whose shift is left to the normalisation after it.
    private static func normalized(_ channels: Int, stride: Int = 1) -> [LayerDescription] {
        [
            .conv2d(.init(out: channels, kernel: 3, stride: stride, padding: 1, bias: false)),
            .groupnorm(.init(groups: 8)),
        ]
    }

    /// A residual block; where it changes the number of channels it halves the image, and a projection does both.
    private static func residual(_ channels: Int, halvesImage: Bool) -> [LayerDescription] {
        let stride = halvesImage ? 2 : 1
        let projection = LayerDescription.conv2d(.init(out: channels, kernel: 1, stride: stride, bias: false))
        return [
            .residual(
                .init(
                    body: normalized(channels, stride: stride) + [.relu] + normalized(channels),
                    projection: halvesImage ? projection : nil)),
            .relu,
        ]
    }
}
