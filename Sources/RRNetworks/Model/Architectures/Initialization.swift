import RRTensor

/// How torchvision draws the weights of its networks, where that is not PyTorch's default of each layer.
///
/// Source: the constructors of `torchvision.models`, which follow He et al. (2015) for convolutions, by the outputs that an
/// input reaches or, in DenseNet, the inputs of an output.
enum Initialization {
    case resnet, vgg, densenet, mobilenet, efficientnet, convnext

    init?(of model: BuiltInModel) {
        switch model {
        case .resnet18, .resnet34, .resnet50: self = .resnet
        case .vgg11, .vgg16, .vgg16Normalized: self = .vgg
        case .densenet121: self = .densenet
        case .mobilenetV2, .mobilenetV3Small: self = .mobilenet
        case .efficientnetB0: self = .efficientnet
        case .convnextTiny: self = .convnext
        case .mlp, .lenet, .convnet, .resnet8: return nil
        }
    }

    /// The distribution of a tensor; nil for the layer's own.
    func distribution(of entry: ParameterLayout.Entry) -> InitialDistribution? {
        let shape = entry.shape
        switch (self, shape.count) {
        case (.convnext, 2), (.convnext, 4): return .normal(deviation: 0.02)
        case (.densenet, 4): return Self.kaiming(fan: shape.dropFirst().reduce(1, *))
        case (_, 4): return Self.kaiming(fan: shape[0] * shape[2] * shape[3])
        case (.vgg, 2), (.mobilenet, 2): return .normal(deviation: 0.01)
        case (.efficientnet, 2): return .uniform(fanIn: shape[0])
        case (.resnet, _): return nil
        default: return entry.name.hasSuffix(".bias") ? .constant(0) : nil
        }
    }

    /// N(0, 2 / fan), which keeps the variance where a rectifier follows.
    private static func kaiming(fan: Int) -> InitialDistribution {
        .normal(deviation: (2 / Double(fan)).squareRoot())
    }
}

extension ModelDescription {
    /// The network of torchvision that this is, to the layer.
    var torchvisionModel: BuiltInModel? {
        BuiltInModel.allCases.first {
            $0.isFromTorchvision && $0.description(input: input, classCount: classCount) == self
        }
    }
}

extension Network {
    /// What the values of a tensor are drawn from before training.
    ///
    /// - Parameter model: the network of torchvision that this is; nil for none.
    package func initialDistribution(
        of entry: ParameterLayout.Entry, in model: BuiltInModel?
    ) -> InitialDistribution {
        model.flatMap(Initialization.init)?.distribution(of: entry) ?? entry.initial
    }
}
