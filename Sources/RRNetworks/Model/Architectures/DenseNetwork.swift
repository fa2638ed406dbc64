/// The densely connected networks of Huang et al. (2017), as torchvision has them: each layer's new channels are joined to
/// all before them.
struct DenseNetwork {
    /// The number of layers of each block.
    let layerCounts: [Int]

    func layers(classCount: Int, width: Double) -> [LayerDescription] {
        let growth = Architecture.scaled(32, by: width)
        var channels = 2 * growth
        var layers =
            Architecture.convolution(
                channels, kernel: 7, stride: 2, names: ("features.conv0", "features.norm0"), then: .relu)
            + [.maxpool2d(.init(kernel: 3, stride: 2, padding: 1))]
        for (block, count) in layerCounts.enumerated() {
            for layer in 0..<count {
                layers.append(
                    Self.layer(growth).named("features.denseblock\(block + 1).denselayer\(layer + 1)"))
            }
            channels += count * growth
            guard block + 1 < layerCounts.count else { continue }
            channels /= 2
            let name = "features.transition\(block + 1)"
            layers += [
                .batchnorm2d().named("\(name).norm"), .relu,
                .conv2d(.init(out: channels, kernel: 1, bias: false)).named("\(name).conv"),
                .avgpool2d(.init(kernel: 2)),
            ]
        }
        return layers + [
            .batchnorm2d().named("features.norm5"), .relu, .globalavgpool, .flatten,
            .linear(.init(out: classCount)).named("classifier"),
        ]
    }

    private static func layer(_ growth: Int) -> LayerDescription {
        .concat([
            [],
            [
                .batchnorm2d().named("norm1"), .relu,
                .conv2d(.init(out: 4 * growth, kernel: 1, bias: false)).named("conv1"),
                .batchnorm2d().named("norm2"), .relu,
                .conv2d(.init(out: growth, kernel: 3, padding: 1, bias: false)).named("conv2"),
            ],
        ])
    }
}
