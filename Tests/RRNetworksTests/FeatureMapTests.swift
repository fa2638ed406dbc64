import RRNetworks
import RRTensor
import Testing

@Suite("Feature maps that explanations are about")
struct FeatureMapTests {
    private func network(_ layers: [LayerDescription], side: Int = 20) throws -> Network<Double> {
        try Network(
            ModelDescription(
                input: ImageShape(channels: 1, height: side, width: side), classCount: 3,
                layers: layers + [.flatten, .linear(.init(out: 3))]))
    }

    private func convolution(_ kernel: Extents, stride: Extents = 1, padding: Padding = 0) -> LayerDescription
    {
        .conv2d(.init(out: 2, kernel: kernel, stride: stride, padding: padding))
    }

    @Test("by default it is the map behind the last convolution, with what follows it")
    func standard() throws {
        let network = try network([
            convolution(3), .batchnorm2d(), .relu, .maxpool2d(.init(kernel: 2)),
            .named("last", convolution(3)),
            .batchnorm2d(), .relu, .maxpool2d(.init(kernel: 2)),
        ])
        let map = try network.featureMap()
        #expect(map.location == "layers[6]")
        #expect(try map.shape == ImageShape(channels: 2, height: 7, width: 7))
        #expect(try network.featureMap(of: "last") == map)
        #expect(try network.featureMap(of: "layers[4]") == map)
        #expect(try network.featureMap(of: "layers[0]").location == "layers[2]")
        #expect(try network.featureMap(of: "layers[7]").location == "layers[7]")
    }

    @Test("a stage is its last block, with the rectifier behind it")
    func stages() throws {
        let model = try BuiltInModel.resnet18.description(
            input: ImageShape(channels: 3, height: 64, width: 64), classCount: 5)
        let network = try Network<Float>(model)
        let map = try network.featureMap(of: "layer3")
        #expect(try map == network.featureMap(of: "layer3.1"))
        #expect(try map.shape == ImageShape(channels: 256, height: 4, width: 4))
        #expect(map.rows == ReceptiveAxis(start: 0, step: 16))
        #expect(try network.featureMap() == network.featureMap(of: "layer4"))
    }

    /// A residual block and what is before and behind it, as an imported network has them.
    @Test("in a graph it is the output of a node that all later ones depend on alone")
    func graphs() throws {
        let nodes: [LayerDescription.Node] = [
            .init(.layer(.named("stem", convolution(3, stride: 2))), of: [0]), .init(.layer(.relu), of: [1]),
            .init(.layer(.named("block.a", convolution(3, padding: 1))), of: [2]),
            .init(.layer(.named("block.norm", .batchnorm2d())), of: [3]), .init(.layer(.relu), of: [4]),
            .init(.layer(.named("block.b", convolution(3, padding: 1))), of: [5]),
            .init(.add, of: [6, 2]), .init(.layer(.relu), of: [7]), .init(.layer(.globalavgpool), of: [8]),
            .init(.layer(.flatten), of: [9]), .init(.layer(.named("fc", .linear(.init(out: 3)))), of: [10]),
        ]
        let network = try Network<Double>(
            ModelDescription(
                input: ImageShape(channels: 1, height: 20, width: 20), classCount: 3, layers: [.graph(nodes)])
        )
        let map = try network.featureMap()
        #expect(map.location == "layers[0].nodes[7]")
        #expect(try map.shape == ImageShape(channels: 2, height: 9, width: 9))
        #expect(map.rows == ReceptiveAxis(start: 1, step: 2))
        #expect(try network.featureMap(of: "block") == map)
        #expect(try network.featureMap(of: "layers[0].nodes[6]") == map)
        #expect(try network.featureMap(of: "stem").location == "layers[0].nodes[1]")
        // The sum beside it depends on the map before the block too.
        for layer in ["block.b", "layers[0].nodes[4]"] {
            let error = try #require(throws: NetworkError.self) { try network.featureMap(of: layer) }
            #expect(error.message.contains("no such layer") && error.message.contains("stem"))
        }
    }

    @Test("where a map looks follows from kernels, strides and paddings")
    func axes() throws {
        // Unpadded, the first place's middle is 2 pixels from the edge, and 2.5 with the pooling's: as in lenet.
        let pooled = try network([convolution(5), .maxpool2d(.init(kernel: 2))]).featureMap(of: "layers[1]")
        #expect(pooled.rows == ReceptiveAxis(start: 2.5, step: 2))
        let padded = try network([convolution(3, stride: 2, padding: 1), convolution(3, padding: 1)])
            .featureMap()
        #expect(padded.rows == ReceptiveAxis(start: 0, step: 2))
        let adaptive = try network([.adaptiveavgpool2d(.init(height: 5, width: 4))]).featureMap(
            of: "layers[0]")
        #expect(adaptive.rows == ReceptiveAxis(start: 1.5, step: 4))
        #expect(adaptive.columns == ReceptiveAxis(start: 2, step: 5))
    }

    /// Windows of a row of six pixels, as the pixels' shares.
    struct Windows: Sendable {
        let start: Double
        let step: Double
        let shares: [[Double]]
    }

    private static let third = 1.0 / 3
    static let windows = [
        Windows(
            start: 0.5, step: 2,
            shares: [[0.5, 0.5, 0, 0, 0, 0], [0, 0, 0.5, 0.5, 0, 0], [0, 0, 0, 0, 0.5, 0.5]]),
        // The first window begins outside, and every pixel belongs to a place.
        Windows(
            start: 0, step: 2,
            shares: [[2 * third, third, 0, 0, 0, 0], [0, 0.25, 0.5, 0.25, 0, 0], [0, 0, 0, 0.2, 0.4, 0.4]]),
        Windows(
            start: 2, step: 1, shares: [[third, third, third, 0, 0, 0], [0, 0, 0, third, third, third]]),
        // Places that see nothing of the image are given the nearest pixel.
        Windows(
            start: -4, step: 3,
            shares: [[1, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0], [0, 0.2, 0.2, 0.2, 0.2, 0.2]]),
        Windows(start: 4, step: 4, shares: [Array(repeating: third / 2, count: 6), [0, 0, 0, 0, 0, 1]]),
    ]

    @Test("a place is given the mean of the pixels that it is nearest to", arguments: windows)
    func shares(windows: Windows) {
        let axis = ReceptiveAxis(start: windows.start, step: windows.step)
        let found = axis.shares(elementCount: windows.shares.count, pixelCount: 6)
        for (found, expected) in zip(found, windows.shares) {
            var shares = Array(repeating: 0.0, count: 6)
            for (pixel, share) in found { shares[pixel] = share }
            #expect(zip(shares, expected).allSatisfy { ($0 - $1).magnitude < 1e-12 }, "\(shares)")
        }
    }

    @Test("what is no map of a place is refused with those that are")
    func refusals() throws {
        let network = try network([.named("eyes", convolution(3)), .relu, .globalavgpool])
        for (layer, words) in [("ears", "no such layer"), ("layers[2]", "no map"), ("layers[3]", "no map")] {
            let error = try #require(throws: NetworkError.self) { try network.featureMap(of: layer) }
            #expect(error.code == .unknownLayer && error.location == layer)
            #expect(error.message.contains(words) && error.message.contains("eyes"))
        }
        let flat = try self.network([])
        let error = try #require(throws: NetworkError.self) { try flat.featureMap() }
        #expect(error.message.contains("none of its layers"))
    }
}
