import RRTensor
import Testing

@testable import RRExplanation
@testable import RRNetworks

@Suite("Gradients that are taken of a whole batch at once")
struct GatheredGradientTests {
    static let guidances: [Guidance] = GuidanceTests.others + [.rightReasons]

    /// A network whose last layers have many parameters for their maps.
    private static func network<Scalar: NetworkScalar>(
        _: Scalar.Type, extent: Int = 5
    ) throws -> Network<Scalar> {
        try Network(
            ModelDescription(
                input: ImageShape(channels: 2, height: extent, width: extent), classCount: 3,
                layers: [
                    .conv2d(.init(out: 8, kernel: 3, stride: 2, padding: 1)), .relu,
                    .conv2d(.init(out: 64, kernel: 3, padding: 0)), .sigmoid,
                    .conv2d(.init(out: 48, kernel: 1)), .relu, .flatten,
                    .linear(.init(out: 32)), .relu, .linear(.init(out: 3)),
                ]))
    }

    private static func batch(
        sampleCount: Int, extents: (height: Int, width: Int) = (5, 5), annotating isAnnotated: (Int) -> Bool
    ) throws -> LabelledBatch {
        let shape = try ImageShape(channels: 2, height: extents.height, width: extents.width)
        var generator = SplitMix64(seed: 4)
        let images = (0..<sampleCount * shape.elementCount).map { _ in Float(generator.nextUnit()) }
        let masks = images.indices.map { index -> UInt8 in
            isAnnotated(index / shape.elementCount) ? UInt8(generator.next() & 1) : 0
        }
        return try LabelledBatch(
            imageShape: shape, images: images, labels: (0..<sampleCount).map { Int64($0 % 3) }, masks: masks)
    }

    private func gradient<Scalar: NetworkScalar>(
        _ network: Network<Scalar>, _ batch: LabelledBatch, _ guidance: Guidance = .rightReasons,
        attribution: Attribution = .inputGradient, threadCount: Int? = nil
    ) throws -> [Scalar] {
        let loss = ExplanationLoss(
            network: network, lambda1: 3, guidance: guidance, attribution: attribution, seed: 2,
            threadCount: threadCount)
        var gradient: [Scalar] = []
        _ = try loss.compute(batch, at: network.initialParameters(seed: 1), gradient: &gradient)
        return gradient
    }

    @Test("are those of layers with many parameters for the maps of the batch")
    func choice() throws {
        let network = Grouping.largeMaps(try Self.network(Float.self))
        let demand = network.gradientDemand(trained: network.parameterLayout.trainedRanges())
        func gathered(_ sampleCount: Int) -> [String] {
            network.gatheredLayers(demand: demand, sampleCount: sampleCount).nodes.map {
                network.graph.nodes[$0].location
            }
        }
        #expect(gathered(19) == ["layers[2]", "layers[4]", "layers[7]"])
        #expect(gathered(50) == ["layers[2]", "layers[4]"], "1,568 parameters, 80 elements a sample")
        #expect(gathered(1_000).isEmpty)
        let layers = network.gatheredLayers(demand: demand, sampleCount: 50)
        let counts = [8 * 18 + 8, 64 * 72 + 64, 48 * 64 + 48, 32 * 48 + 32, 3 * 32 + 3]
        #expect(
            layers.laneRanges == [0..<counts[0], counts[0] + counts[1] + counts[2]..<counts.reduce(0, +)])
        // Samples that fill the vectors are added up by groups.
        let small = try Self.network(Float.self)
        #expect(small.gatheredLayers(demand: demand, sampleCount: 19).isEmpty)
    }

    @Test(
        "are those of the groups of small maps", arguments: guidances, [(19, 0), (19, 7), (19, 19), (3, 2)])
    func values(guidance: Guidance, counts: (samples: Int, annotated: Int)) throws {
        let network = try Self.network(Double.self)
        let batch = try Self.batch(sampleCount: counts.samples) { $0 % counts.samples < counts.annotated }
        let expected = try gradient(network, batch, guidance)
        #expect(
            relativeDifference(try gradient(Grouping.largeMaps(network), batch, guidance), expected) < 1e-12)
    }

    @Test("are so where the penalty is about a feature map, which some of the layers come before")
    func features() throws {
        let network = try Self.network(Double.self, extent: 7)
        let batch = try Self.batch(sampleCount: 3, extents: (7, 7)) { $0 < 2 }
        let map = try network.featureMap(of: "2")
        for attribution in [Attribution.gradCAM(map), .featureGradient(map)] {
            let expected = try gradient(network, batch, attribution: attribution)
            let found = try gradient(Grouping.largeMaps(network), batch, attribution: attribution)
            #expect(relativeDifference(found, expected) < 1e-12)
        }
    }

    @Test("have the same bytes on all numbers of threads, and where memory is used again")
    func bytes() throws {
        let network = Grouping.largeMaps(try Self.network(Float.self))
        let loss = ExplanationLoss(network: network, lambda1: 3, threadCount: 3)
        let parameters = network.initialParameters(seed: 1)
        for sampleCount in [19, 3, 61, 40, 19] {
            let batch = try Self.batch(sampleCount: sampleCount) { $0 % 3 > 0 }
            var reused: [Float] = []
            _ = try loss.compute(batch, at: parameters, gradient: &reused)
            for threadCount in [1, 2, 5] {
                #expect(try gradient(network, batch, threadCount: threadCount) == reused)
            }
        }
    }
    @Test("are the same in pieces, which have every parameter once", arguments: [1, 3])
    func pieces(threadCount: Int) throws {
        let wide = try Network<Float>(
            ModelDescription(
                input: ImageShape(channels: 2, height: 40, width: 60), classCount: 3,
                layers: [.flatten, .linear(.init(out: 1_200)), .relu, .linear(.init(out: 3))]))
        let narrow = try Self.network(Float.self)
        for (network, extents, pieceCount) in [(narrow, (5, 5), 6), (wide, (40, 60), 4)] {
            let network = Grouping.largeMaps(network)
            let batch = try Self.batch(sampleCount: 7, extents: extents) { $0 % 3 > 0 }
            let loss = ExplanationLoss(network: network, lambda1: 3, seed: 2, threadCount: threadCount)
            let parameters = network.initialParameters(seed: 1)
            let (terms, gradient) = try loss.compute(batch, at: parameters, dropout: nil, visitor: nil)
            var ranges: [Range<Int>] = []
            var values = [Float](repeating: .nan, count: network.parameterLayout.count)
            gradient.forEachPiece { range, piece in
                ranges.append(range)
                for index in range { values[index] = piece[index - range.lowerBound] }
            }
            #expect(ranges.count == pieceCount)
            #expect(ranges.reduce(0) { $0 + $1.count } == values.count)
            #expect(Array(gradient.collect()) == values)
            var whole: [Float] = []
            #expect(try loss.compute(batch, at: parameters, gradient: &whole) == terms)
            #expect(whole == values)
            #expect(!whole.contains { $0.isNaN } && whole.contains { $0 != 0 })
        }
    }
}
