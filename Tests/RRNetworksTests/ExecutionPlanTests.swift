import RRNetworks
import RRTensor
import Testing

/// Layers that are computed as one, maps that share memory and maps that are computed anew against the same model with a
/// dropout of nothing behind every layer, which keeps all of them apart.
@Suite("The execution plan of a network")
struct ExecutionPlanTests {
    static let convolutions: [LayerDescription.Convolution] = [
        .init(out: 4, kernel: 3, padding: 1, bias: false), .init(out: 4, kernel: 3, stride: 2, padding: 1),
        .init(out: 6, kernel: 1, bias: false), .init(out: 4, kernel: 3, padding: 1, groups: 4, bias: false),
    ]

    @Test("a convolution and the normalisation behind it", arguments: convolutions, [1, 2, 16])
    func normalizedConvolution(convolution: LayerDescription.Convolution, samples: Int) throws {
        let model = ModelDescription(
            input: try ImageShape(channels: 4, height: 9, width: 8), classCount: 3,
            layers: [
                .conv2d(convolution), .batchnorm2d(), .silu, .globalavgpool, .flatten, .linear(.init(out: 3)),
            ])
        try expectSame(model, samples: samples)
    }

    static let networks: [BuiltInModel] = [
        .resnet8, .resnet18, .resnet50, .vgg11, .vgg16Normalized, .densenet121, .mobilenetV2,
        .mobilenetV3Small,
        .efficientnetB0, .convnextTiny,
    ]

    @Test("the networks that people use, narrower", arguments: networks, [2, 16])
    func builtIn(model: BuiltInModel, samples: Int) throws {
        let input = try ImageShape(channels: 3, height: 32, width: 32)
        try expectSame(model.description(input: input, classCount: 3, width: 0.125), samples: samples)
    }

    @Test("blocks whose maps have several readers, or one that is met twice")
    func blocks() throws {
        let layers: [LayerDescription] = [
            .conv2d(.init(out: 4, kernel: 3, padding: 1)), .relu,
            .concat([[], [], [.silu], [.batchnorm2d(), .relu, .conv2d(.init(out: 2, kernel: 1))]]),
            .residual(.init(body: [.relu], projection: [])), .relu,
            .residual(
                .init(
                    body: [.concat([[.relu], [.conv2d(.init(out: 2, kernel: 1)), .silu]])],
                    projection: [.conv2d(.init(out: 16, kernel: 1)), .batchnorm2d()])),
            .multiply(.init(body: [.sigmoid])), .batchnorm2d(), .relu, .relu6, .globalavgpool, .flatten,
            .linear(.init(out: 3)),
        ]
        let model = ModelDescription(
            input: try ImageShape(channels: 3, height: 6, width: 5), classCount: 3, layers: layers)
        for samples in [1, 2, 16] { try expectSame(model, samples: samples) }
    }

    @Test("a graph computes what the same blocks do, in all passes", arguments: [1, 2, 16])
    func graph(samples: Int) throws {
        let stem = LayerDescription.conv2d(.init(out: 4, kernel: 3, padding: 1))
        let end: [LayerDescription] = [.globalavgpool, .flatten, .linear(.init(out: 3))]
        let input = try ImageShape(channels: 3, height: 6, width: 5)
        let blocks = ModelDescription(
            input: input, classCount: 3,
            layers: [
                stem, .residual(.init(body: [.silu, .conv2d(.init(out: 4, kernel: 1))])),
                .concat([[], [.tanh]]), .multiply(.init(body: [.globalavgpool, .sigmoid])),
            ] + end)
        let nodes: [LayerDescription.Node] = [
            .init(.layer(stem), of: [0]), .init(.layer(.silu), of: [1]),
            .init(.layer(.conv2d(.init(out: 4, kernel: 1))), of: [2]), .init(.add, of: [3, 1]),
            .init(.layer(.tanh), of: [4]), .init(.concat, of: [4, 5]), .init(.layer(.globalavgpool), of: [6]),
            .init(.layer(.sigmoid), of: [7]), .init(.multiply, of: [6, 8]),
        ]
        let graph = ModelDescription(input: input, classCount: 3, layers: [.graph(nodes)] + end)
        try expectSame(blocks, graph, samples: samples)
    }

    @Test("batchnorm1d is batchnorm2d of maps of one pixel", arguments: [1, 2, 16])
    func features(samples: Int) throws {
        let input = try ImageShape(channels: 3, height: 6, width: 5)
        func model(_ middle: [LayerDescription]) -> ModelDescription {
            ModelDescription(
                input: input, classCount: 3,
                layers: [.conv2d(.init(out: 4, kernel: 3)), .silu, .globalavgpool] + middle + [
                    .linear(.init(out: 3))
                ])
        }
        try expectSame(
            model([.batchnorm2d(), .relu, .flatten]), model([.flatten, .batchnorm1d(), .relu]),
            samples: samples)
    }

    @Test("a graph whose nodes read what is not there is refused")
    func unreadable() throws {
        for (operation, inputs) in [
            (LayerDescription.Node.Operation.add, [0]), (.add, [0, 2]), (.multiply, [0, 0, 0]),
            (.layer(.relu), [-1]),
            (.layer(.relu), []),
        ] {
            let model = ModelDescription(
                input: try ImageShape(channels: 3, height: 1, width: 1), classCount: 3,
                layers: [.graph([.init(operation, of: inputs)]), .flatten])
            let error = #expect(throws: NetworkError.self) { try Network<Float>(model) }
            #expect(try #require(error).location == "layers[0].nodes[0]")
        }
    }

    @Test("what is computed as one is described as what it is")
    func described() throws {
        let layers: [LayerDescription] = [
            .conv2d(.init(out: 4, kernel: 3)), .batchnorm2d(), .relu, .globalavgpool, .flatten,
            .linear(.init(out: 2)),
        ]
        let network = try Network<Double>(
            ModelDescription(
                input: try ImageShape(channels: 3, height: 8, width: 8), classCount: 2, layers: layers))
        #expect(network.nodes.map(\.layer) == ["conv2d", "batchnorm2d", "relu", "globalavgpool", "linear"])
    }

    private func expectSame(_ model: ModelDescription, samples: Int) throws {
        let apart = ModelDescription(
            input: model.input, classCount: model.classCount, layers: Passes.apart(model.layers))
        try expectSame(model, apart, samples: samples)
    }

    private func expectSame(_ model: ModelDescription, _ other: ModelDescription, samples: Int) throws {
        let (one, other) = (
            try Passes(model, samples: samples).results, try Passes(other, samples: samples).results
        )
        for (results, expected) in zip(one, other) {
            #expect(results.count == expected.count && expected.contains { $0 != 0 })
            let largest = expected.reduce(0) { max($0, $1.magnitude) }
            let difference = zip(results, expected).reduce(0) { max($0, ($1.0 - $1.1).magnitude) }
            #expect(difference <= 1e-11 * largest)
        }
    }
}

/// What the four passes give from random parameters, images and seeds.
private struct Passes {
    /// The logits, and from each of two seeds the input gradient, the logits' tangent and the parameters' gradient.
    let results: [[Double]]

    /// The layers with a dropout of nothing behind each.
    static func apart(_ layers: [LayerDescription]) -> [LayerDescription] {
        layers.flatMap { [apart($0), .dropout(probability: 0)] }
    }

    private static func apart(_ layer: LayerDescription) -> LayerDescription {
        switch layer {
        case .named(let name, let inner): return .named(name, apart(inner))
        case .concat(let branches): return .concat(branches.map(apart))
        case .residual(var block):
            block.body = apart(block.body)
            block.projection = block.projection.isEmpty ? [] : apart(block.projection)
            return .residual(block)
        case .multiply(var block):
            block.body = apart(block.body)
            block.projection = block.projection.isEmpty ? [] : apart(block.projection)
            return .multiply(block)
        default: return layer
        }
    }

    init(_ model: ModelDescription, samples: Int) throws {
        var network = try Network<Double>(model)
        network.groupLimits =
            samples < 8 ? .largeMaps : GroupLimits(largestGroup: samples, evenLaneCount: 1)
        var generator = SplitMix64(seed: 5)
        func random(_ count: Int) -> [Double] { (0..<count).map { _ in generator.nextUnit() - 0.5 } }
        var parameters = network.initialParameters(seed: 3).values
        for (index, change) in random(parameters.count).enumerated() { parameters[index] += change * 0.2 }
        for entry in network.parameterLayout.entries {
            if entry.name.hasSuffix("running_var") {
                for index in entry.range { parameters[index] = parameters[index].magnitude + 0.1 }
            }
            // A factor of a normalisation that lets nothing through.
            if entry.shape.count == 1, entry.name.hasSuffix("weight") {
                parameters[entry.range.lowerBound] = 0
            }
        }
        let (input, classes) = (model.input.elementCount, model.classCount)
        let pass = GroupPass(network: network, capacity: samples)
        pass.load(
            SharedElements(random(samples * input).map { Float($0) }), samples: Array(0..<samples)[...])
        pass.forward(parameters)
        func values(_ start: UnsafePointer<Double>, _ count: Int) -> [Double] {
            Array(UnsafeBufferPointer(start: start, count: count * samples))
        }
        var results = [values(pass.logits, classes)]
        for _ in 0..<2 {
            for (index, seed) in random(classes * samples).enumerated() { pass.logitCotangent[index] = seed }
            pass.reverse(parameters)
            results.append(values(pass.inputCotangent, input))
            for (index, seed) in random(input * samples).enumerated() { pass.inputTangent[index] = seed }
            pass.tangent(parameters)
            results.append(values(pass.logitTangent, classes))
            for (index, seed) in random(classes * samples).enumerated() { pass.logitAdjoint[index] = seed }
            var gradient = Array(repeating: 0.0, count: parameters.count)
            pass.gradient(parameters, isSecondOrder: true, addingTo: &gradient)
            results.append(gradient)
        }
        self.results = results
    }
}
