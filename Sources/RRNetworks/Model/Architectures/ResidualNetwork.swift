/// The residual networks of He et al. (2016), as torchvision has them: in blocks of three convolutions the middle one has
/// the stride.
struct ResidualNetwork {
    /// The number of blocks of each stage.
    let blockCounts: [Int]
    /// Whether a block has three convolutions, the last of them of four times as many channels, or two.
    let hasBottlenecks: Bool

    func layers(classCount: Int, width: Double) -> [LayerDescription] {
        let stem = Architecture.scaled(64, by: width)
        var layers =
            Architecture.convolution(stem, kernel: 7, stride: 2, names: ("conv1", "bn1"), then: .relu)
            + [.maxpool2d(.init(kernel: 3, stride: 2, padding: 1))]
        var channels = stem
        for (stage, count) in blockCounts.enumerated() {
            let planes = stem << stage
            let out = hasBottlenecks ? 4 * planes : planes
            for block in 0..<count {
                let stride = block == 0 && stage > 0 ? 2 : 1
                let projection =
                    stride == 1 && channels == out
                    ? []
                    : Architecture.convolution(out, kernel: 1, stride: stride, in: "downsample")
                let body = hasBottlenecks ? bottleneck(planes, stride) : pair(planes, stride)
                layers.append(
                    .residual(.init(body: body, projection: projection)).named("layer\(stage + 1).\(block)"))
                layers.append(.relu)
                channels = out
            }
        }
        return layers + [.globalavgpool, .flatten, .linear(.init(out: classCount)).named("fc")]
    }

    private func pair(_ planes: Int, _ stride: Int) -> [LayerDescription] {
        Architecture.convolution(planes, kernel: 3, stride: stride, names: ("conv1", "bn1"), then: .relu)
            + Architecture.convolution(planes, kernel: 3, names: ("conv2", "bn2"))
    }

    private func bottleneck(_ planes: Int, _ stride: Int) -> [LayerDescription] {
        Architecture.convolution(planes, kernel: 1, names: ("conv1", "bn1"), then: .relu)
            + Architecture.convolution(
                planes, kernel: 3, stride: stride, names: ("conv2", "bn2"), then: .relu)
            + Architecture.convolution(4 * planes, kernel: 1, names: ("conv3", "bn3"))
    }
}
