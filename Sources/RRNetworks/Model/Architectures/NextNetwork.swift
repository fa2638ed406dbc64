/// ConvNeXt (Liu et al., 2022), as torchvision has it.
struct NextNetwork {
    /// The channels and the number of blocks of each stage.
    let stages: [(channels: Int, count: Int)]
    /// How often the last block's body is left out of a sample in training; the others' rises to it.
    let depthProbability: Double

    static let tiny = NextNetwork(
        stages: [(96, 3), (192, 3), (384, 9), (768, 3)], depthProbability: 0.1)

    private static let epsilon = 1e-6

    func layers(classCount: Int, width: Double) -> [LayerDescription] {
        let blockCount = stages.reduce(0) { $0 + $1.count }
        var layers: [LayerDescription] = []
        var number = 0
        for (stage, (channels, count)) in stages.enumerated() {
            let channels = Architecture.scaled(channels, by: width)
            let name = "features.\(2 * stage)"
            layers +=
                stage == 0
                ? [
                    .conv2d(.init(out: channels, kernel: 4, stride: 4)).named("\(name).0"),
                    .layernorm2d(epsilon: Self.epsilon).named("\(name).1"),
                ]
                : [
                    .layernorm2d(epsilon: Self.epsilon).named("\(name).0"),
                    .conv2d(.init(out: channels, kernel: 2, stride: 2)).named("\(name).1"),
                ]
            for block in 0..<count {
                let depth = depthProbability * Double(number) / Double(blockCount - 1)
                layers.append(Self.block(channels, depth).named("features.\(2 * stage + 1).\(block)"))
                number += 1
            }
        }
        return layers + [
            .globalavgpool, .layernorm2d(epsilon: Self.epsilon).named("classifier.0"), .flatten,
            .linear(.init(out: classCount)).named("classifier.2"),
        ]
    }

    /// The numbers that are missing among the names are permutations there.
    private static func block(_ channels: Int, _ depth: Double) -> LayerDescription {
        let body: [LayerDescription] = [
            .conv2d(.init(out: channels, kernel: 7, padding: 3, groups: channels)).named("block.0"),
            .layernorm2d(epsilon: epsilon).named("block.2"),
            .linear2d(.init(out: 4 * channels)).named("block.3"), .gelu(),
            .linear2d(.init(out: channels)).named("block.5"),
        ]
        return .residual(
            .init(
                body: body + (depth > 0 ? [.stochasticdepth(probability: depth)] : []), layerScale: 1e-6))
    }
}
