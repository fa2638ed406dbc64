/// The networks of Simonyan and Zisserman (2015), VGG, as torchvision has them.
struct VisualGeometryNetwork {
    /// The channels of the convolutions of each stage, which ends in a pooling.
    let stages: [[Int]]
    let isNormalized: Bool

    static func eleven(isNormalized: Bool = false) -> VisualGeometryNetwork {
        .init(stages: [[64], [128], [256, 256], [512, 512], [512, 512]], isNormalized: isNormalized)
    }

    static func sixteen(isNormalized: Bool = false) -> VisualGeometryNetwork {
        .init(
            stages: [[64, 64], [128, 128], [256, 256, 256], [512, 512, 512], [512, 512, 512]],
            isNormalized: isNormalized)
    }

    func layers(classCount: Int, width: Double) -> [LayerDescription] {
        var layers: [LayerDescription] = []
        // A layer's number is its place among the features, whatever it is.
        for stage in stages {
            for channels in stage {
                let out = Architecture.scaled(channels, by: width)
                layers.append(
                    .conv2d(.init(out: out, kernel: 3, padding: 1)).named("features.\(layers.count)"))
                if isNormalized { layers.append(.batchnorm2d().named("features.\(layers.count)")) }
                layers.append(.relu)
            }
            layers.append(.maxpool2d(.init(kernel: 2)))
        }
        let hidden = Architecture.scaled(4096, by: width)
        return layers + [
            .adaptiveavgpool2d(.init(height: 7, width: 7)), .flatten,
            .linear(.init(out: hidden)).named("classifier.0"), .relu, .dropout(),
            .linear(.init(out: hidden)).named("classifier.3"), .relu, .dropout(),
            .linear(.init(out: classCount)).named("classifier.6"),
        ]
    }
}
