import Foundation
import RRExchange
import RRFormats
import RRNetworks
import RRTensor
import TestSupport
import Testing

/// What is exported is read again: ONNX Runtime's word on it is in the tests of the Python package.
@Suite("ONNX files of networks")
struct ONNXExportTests {
    private static let image = [3, 10, 9]

    /// Every layer, with options that ONNX has by other means.
    static let layers: [(String, [LayerDescription])] = [
        (
            "convolution",
            [.conv2d(.init(out: 4, kernel: Extents(height: 3, width: 2), stride: 2, padding: 1))]
        ),
        ("groups", [.conv2d(.init(out: 6, kernel: 3, dilation: 2, groups: 3, bias: false))]),
        ("pixels", [.linear2d(.init(out: 4))]),
        ("activations", [.relu, .leakyrelu(negativeSlope: 0.2), .silu, .softplus(beta: 1), .tanh, .sigmoid]),
        ("bounds", [.conv2d(.init(out: 3, kernel: 1)), .relu6, .hardswish, .hardsigmoid]),
        ("gelu", [.gelu(.none), .gelu(.tanh)]),
        (
            "slopes",
            [
                .prelu(.init(initial: 0.3)), .conv2d(.init(out: 4, kernel: 1)),
                .prelu(.init(parameterCount: 4)), .elu(alpha: 0.5),
            ]
        ),
        (
            "channels",
            [
                .conv2d(.init(out: 6, kernel: 3)), .channelshuffle(groups: 3),
                .concat([
                    [.narrow(.init(start: 1, length: 2))],
                    [.narrow(.init(start: 3, length: 3)), .conv2d(.init(out: 4, kernel: 1))],
                ]), .channelshuffle(groups: 2), .flatten, .prelu(), .narrow(.init(start: 5, length: 30)),
                .channelshuffle(groups: 3),
            ]
        ),
        ("maximum", [.maxpool2d(.init(kernel: 3, stride: 2, padding: 1, ceilMode: true))]),
        ("average", [.avgpool2d(.init(kernel: 3, stride: 2, padding: 1))]),
        (
            "average-alone",
            [.avgpool2d(.init(kernel: 3, stride: 2, padding: 1, ceilMode: true, countIncludePad: false))]
        ),
        ("adaptive", [.adaptiveavgpool2d(.init(height: 1, width: 1))]),
        (
            "normalized",
            [.batchnorm2d(epsilon: 1e-3), .groupnorm(.init(groups: 3)), .layernorm2d(), .layernorm()]
        ),
        (
            "flat",
            [.flatten, .linear(.init(out: 6)), .batchnorm1d(), .layernorm(), .dropout(probability: 0.5)]
        ),
        (
            "blocks",
            [
                .residual(
                    .init(
                        body: [
                            .conv2d(.init(out: 3, kernel: 3, padding: 1)), .stochasticdepth(probability: 0.1),
                        ], layerScale: 0.5)),
                .concat([[], [.relu], [.conv2d(.init(out: 2, kernel: 1))]]),
                .multiply(.init(body: [.globalavgpool, .conv2d(.init(out: 8, kernel: 1)), .sigmoid])),
            ]
        ),
        (
            "graph",
            [
                .graph([
                    .init(.layer(.named("stem", .conv2d(.init(out: 4, kernel: 3)))), of: [0]),
                    .init(.layer(.relu), of: [1]), .init(.layer(.globalavgpool), of: [2]),
                    .init(.layer(.flatten), of: [3]),
                    .init(.layer(.named("gate", .linear(.init(out: 4)))), of: [4]),
                    .init(.layer(.sigmoid), of: [5]), .init(.multiply, of: [2, 6]),
                    .init(.add, of: [7, 2, 1]),
                    .init(.concat, of: [8, 1]),
                ])
            ]
        ),
    ]

    @Test("a network is the same again when its file is read", arguments: layers.map(\.0))
    func again(name: String) throws {
        let layers = try #require(Self.layers.first { $0.0 == name }).1
        let isFlat = name == "flat" || name == "channels"
        let end: [LayerDescription] = (isFlat ? [] : [.flatten]) + [.linear(.init(out: 3))]
        try expectSame(
            ModelDescription(
                input: try ImageShape(channels: 3, height: 10, width: 9), classCount: 3, layers: layers + end),
            normalization: name == "convolution" ? ([0.4, 0.5, 0.6], [0.2, 0.3, 0.25]) : nil)
    }

    /// VGG's windows overlap where its images are small, which ONNX has as products that no layer is: at full size they do not.
    @Test(
        "torchvision's networks are the same again",
        arguments: BuiltInModel.allCases.filter(\.isFromTorchvision))
    func builtIn(model: BuiltInModel) throws {
        let isLarge = model.rawValue.hasPrefix("vgg")
        if isLarge, model != .vgg11 { return }
        let extent = isLarge ? 224 : 32
        let input = try ImageShape(channels: 3, height: extent, width: extent)
        try expectSame(
            model.description(input: input, classCount: 3, width: isLarge ? 1.0 / 64 : 1.0 / 16),
            normalization: nil)
    }

    @Test("the names of parameters are those of the weights")
    func names() throws {
        let input = try ImageShape(channels: 3, height: 32, width: 32)
        let model = BuiltInModel.resnet18.description(input: input, classCount: 3, width: 1.0 / 16)
        let (network, parameters) = try drawn(model)
        let folder = try TemporaryFolder()
        let bytes = try ONNXExport.bytes(network, parameters, normalization: nil, path: "model.onnx")
        let imported = try ImportedNetwork(onnx: folder.write(bytes, to: "model.onnx"))
        #expect(imported.notes.isEmpty)
        #expect(Set(imported.tensors.map(\.name)) == Set(network.parameterLayout.entries.map(\.name)))
    }

    private func drawn(_ model: ModelDescription) throws -> (Network<Float>, Parameters<Float>) {
        let network = try Network<Float>(model)
        var parameters = network.initialParameters(seed: 7)
        var generator = SplitMix64(seed: 3)
        parameters.withUnsafeMutableValues { values in
            for entry in network.parameterLayout.entries where entry.shape.count == 1 {
                let isVariance = entry.name.hasSuffix("running_var")
                for index in entry.range {
                    let change = Float(generator.nextUnit() - 0.5) * 0.4
                    values[index] = isVariance ? 1 + change : values[index] + change
                }
            }
        }
        return (network, parameters)
    }

    private func expectSame(
        _ model: ModelDescription, normalization: (means: [Float], deviations: [Float])?
    ) throws {
        let (network, parameters) = try drawn(model)
        let folder = try TemporaryFolder()
        let bytes = try ONNXExport.bytes(
            network, parameters, normalization: normalization, path: "model.onnx")
        let imported = try ImportedNetwork(onnx: folder.write(bytes, to: "model.onnx"))
        let images = ForwardPass.images(model.input.dimensions, sampleCount: 2)
        let pixelCount = model.input.pixelCount
        let scaled = images.enumerated().map { index, value in
            guard let normalization else { return value }
            let channel = index / pixelCount % model.input.channels
            return (value - normalization.means[channel]) / normalization.deviations[channel]
        }
        let expected = ForwardPass.logits(of: network, parameters.values, images: scaled, sampleCount: 2)
        let again = try Network<Float>(imported.model)
        let logits = ForwardPass.logits(
            of: again, try ForwardPass.parameters(imported.tensors, of: again), images: images, sampleCount: 2
        )
        #expect(expected.contains { $0.magnitude > 1e-3 })
        #expect(ForwardPass.distance(logits, expected) < 1e-5)
    }
}
