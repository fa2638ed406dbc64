/// The networks of inverted residual blocks, as torchvision has them: a block widens, convolves each channel by itself, and
/// narrows.
enum MobileNetwork {
    /// MobileNetV2 (Sandler et al., 2018).
    static func second(classCount: Int, width: Double) -> [LayerDescription] {
        // How much a block widens, its channels, the number of blocks and the stride of the first.
        let stages = [
            (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
            (6, 320, 1, 1),
        ]
        func scaled(_ channels: Int) -> Int { Architecture.divisible(Double(channels) * width) }
        var channels = scaled(32)
        var layers = Architecture.convolution(channels, kernel: 3, stride: 2, in: "features.0", then: .relu6)
        var number = 1
        for (expansion, out, count, firstStride) in stages {
            for block in 0..<count {
                let hidden = channels * expansion
                let stride = block == 0 ? firstStride : 1
                let isResidual = stride == 1 && channels == scaled(out)
                let name = isResidual ? "conv" : "features.\(number).conv"
                var parts: [LayerDescription] = []
                var part = 0
                if expansion != 1 {
                    parts += Architecture.convolution(hidden, kernel: 1, in: "\(name).0", then: .relu6)
                    part = 1
                }
                parts += Architecture.convolution(
                    hidden, kernel: 3, stride: stride, groups: hidden, in: "\(name).\(part)", then: .relu6)
                parts += Architecture.convolution(
                    scaled(out), kernel: 1, names: ("\(name).\(part + 1)", "\(name).\(part + 2)"))
                layers +=
                    isResidual ? [.residual(.init(body: parts)).named("features.\(number)")] : parts
                channels = scaled(out)
                number += 1
            }
        }
        let last = Architecture.divisible(1280 * max(1, width))
        return layers + Architecture.convolution(last, kernel: 1, in: "features.\(number)", then: .relu6) + [
            .globalavgpool, .flatten, .dropout(probability: 0.2),
            .linear(.init(out: classCount)).named("classifier.1"),
        ]
    }

    /// MobileNetV3-Small (Howard et al., 2019).
    static func thirdSmall(classCount: Int, width: Double) -> [LayerDescription] {
        let epsilon = 1e-3
        func scaled(_ channels: Int) -> Int { Architecture.divisible(Double(channels) * width) }
        // The kernel, the channels within and after, whether they are squeezed, the activation and the stride.
        let blocks: [(Int, Int, Int, Bool, LayerDescription, Int)] = [
            (3, 16, 16, true, .relu, 2), (3, 72, 24, false, .relu, 2), (3, 88, 24, false, .relu, 1),
            (5, 96, 40, true, .hardswish, 2), (5, 240, 40, true, .hardswish, 1),
            (5, 240, 40, true, .hardswish, 1), (5, 120, 48, true, .hardswish, 1),
            (5, 144, 48, true, .hardswish, 1), (5, 288, 96, true, .hardswish, 2),
            (5, 576, 96, true, .hardswish, 1), (5, 576, 96, true, .hardswish, 1),
        ]
        var channels = scaled(16)
        var layers = Architecture.convolution(
            channels, kernel: 3, stride: 2, in: "features.0", epsilon: epsilon, then: .hardswish)
        for (index, (kernel, hidden, out, isSqueezed, activation, stride)) in blocks.enumerated() {
            var block = InvertedBlock(name: "features.\(index + 1)", epsilon: epsilon, activation: activation)
            block.isResidual = stride == 1 && channels == scaled(out)
            if scaled(hidden) != channels { block.append(scaled(hidden), kernel: 1) }
            block.append(scaled(hidden), kernel: kernel, stride: stride, groups: scaled(hidden))
            if isSqueezed {
                let squeezed = Architecture.divisible(Double(scaled(hidden) / 4))
                block.squeeze(scaled(hidden), to: squeezed, activation: .relu, gate: .hardsigmoid)
            }
            block.append(scaled(out), kernel: 1, isActive: false)
            layers += block.layers()
            channels = scaled(out)
        }
        layers += Architecture.convolution(
            6 * channels, kernel: 1, in: "features.\(blocks.count + 1)", epsilon: epsilon, then: .hardswish)
        return layers + [
            .globalavgpool, .flatten, .linear(.init(out: scaled(1024))).named("classifier.0"), .hardswish,
            .dropout(probability: 0.2), .linear(.init(out: classCount)).named("classifier.3"),
        ]
    }

    /// EfficientNet-B0 (Tan and Le, 2019).
    static func efficient(classCount: Int, width: Double) -> [LayerDescription] {
        func scaled(_ channels: Int) -> Int { Architecture.divisible(Double(channels) * width) }
        // How much a block widens, its kernel, the stride of the first, the channels and the number of blocks.
        let stages = [
            (1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3), (6, 5, 1, 112, 3),
            (6, 5, 2, 192, 4), (6, 3, 1, 320, 1),
        ]
        let blockCount = stages.reduce(0) { $0 + $1.4 }
        var channels = scaled(32)
        var layers = Architecture.convolution(channels, kernel: 3, stride: 2, in: "features.0", then: .silu)
        var number = 0
        for (stage, (expansion, kernel, firstStride, out, count)) in stages.enumerated() {
            for index in 0..<count {
                let stride = index == 0 ? firstStride : 1
                let hidden = Architecture.divisible(Double(channels * expansion))
                var block = InvertedBlock(
                    name: "features.\(stage + 1).\(index)", epsilon: 1e-5, activation: .silu)
                block.isResidual = stride == 1 && channels == scaled(out)
                block.depthProbability = 0.2 * Double(number) / Double(blockCount)
                if hidden != channels { block.append(hidden, kernel: 1) }
                block.append(hidden, kernel: kernel, stride: stride, groups: hidden)
                block.squeeze(hidden, to: max(1, channels / 4), activation: .silu, gate: .sigmoid)
                block.append(scaled(out), kernel: 1, isActive: false)
                layers += block.layers()
                channels = scaled(out)
                number += 1
            }
        }
        return layers
            + Architecture.convolution(
                4 * channels, kernel: 1, in: "features.\(stages.count + 1)", then: .silu)
            + [
                .globalavgpool, .flatten, .dropout(probability: 0.2),
                .linear(.init(out: classCount)).named("classifier.1"),
            ]
    }
}

/// An inverted residual block whose parts are numbered as `block` of its module.
private struct InvertedBlock {
    let name: String
    let epsilon: Double
    let activation: LayerDescription
    /// Whether the block's input is added to what its parts give.
    var isResidual = false
    /// How often a sample's parts are left out in training.
    var depthProbability = 0.0
    private var parts: [LayerDescription] = []
    private var count = 0

    init(name: String, epsilon: Double, activation: LayerDescription) {
        self.name = name
        self.epsilon = epsilon
        self.activation = activation
    }

    private var partName: String { (isResidual ? "" : name + ".") + "block.\(count)" }

    mutating func append(_ out: Int, kernel: Int, stride: Int = 1, groups: Int = 1, isActive: Bool = true) {
        parts += Architecture.convolution(
            out, kernel: kernel, stride: stride, groups: groups, in: partName, epsilon: epsilon,
            then: isActive ? activation : nil)
        count += 1
    }

    mutating func squeeze(
        _ channels: Int, to squeezed: Int, activation: LayerDescription, gate: LayerDescription
    ) {
        parts.append(
            Architecture.squeeze(channels, to: squeezed, in: partName, activation: activation, gate: gate))
        count += 1
    }

    func layers() -> [LayerDescription] {
        guard isResidual else { return parts }
        let depth: [LayerDescription] =
            depthProbability > 0 ? [.stochasticdepth(probability: depthProbability)] : []
        return [.residual(.init(body: parts + depth)).named(name)]
    }
}
