import Foundation
import RRNetworks
import RRTensor
import Testing

@Suite("Networks")
struct NetworkTests {
    @Test("parameters are named and shaped as in PyTorch's nn.Sequential")
    func layout() throws {
        let model = BuiltInModel.lenet.description(
            input: try ImageShape(channels: 1, height: 28, width: 28), classCount: 10)
        let entries = try Network<Float>(model).parameterLayout.entries
        #expect(
            entries.map(\.name) == [
                "0.weight", "0.bias", "3.weight", "3.bias", "7.weight", "7.bias", "9.weight", "9.bias",
            ])
        #expect(
            entries.map(\.shape) == [
                [20, 1, 5, 5], [20], [50, 20, 5, 5], [50], [256, 800], [256], [10, 256], [10],
            ])
        #expect(entries.last?.range.upperBound == 20 * 25 + 20 + 50 * 500 + 50 + 256 * 800 + 256 + 2560 + 10)
    }

    @Test("resnet8 has the residual blocks of its three stages")
    func residualNetwork() throws {
        let model = BuiltInModel.resnet8.description(
            input: try ImageShape(channels: 3, height: 32, width: 32), classCount: 10)
        let layout = try Network<Float>(model).parameterLayout
        #expect(layout.count == 77_850)
        let names = layout.entries.map(\.name)
        #expect(names.filter { $0.contains("projection") } == ["5.projection.weight", "7.projection.weight"])
        #expect(
            names.filter { $0.hasPrefix("3.") } == [
                "3.body.0.weight", "3.body.1.weight", "3.body.1.bias", "3.body.3.weight", "3.body.4.weight",
                "3.body.4.bias",
            ])
    }

    @Test("every built-in model fits its usual images", arguments: BuiltInModel.allCases)
    func builtIn(model: BuiltInModel) throws {
        for input in [
            try ImageShape(channels: 1, height: 28, width: 28),
            try ImageShape(channels: 3, height: 32, width: 32),
        ] where !model.isFromTorchvision {
            #expect(throws: Never.self) {
                try Network<Float>(model.description(input: input, classCount: 10))
            }
        }
    }

    /// The figures are those that torchvision states for its networks ("num_params").
    @Test(
        "torchvision's networks have as many parameters as it says",
        arguments: [
            (BuiltInModel.resnet18, 11_689_512), (.resnet34, 21_797_672), (.resnet50, 25_557_032),
            (.vgg11, 132_863_336), (.vgg16, 138_357_544), (.vgg16Normalized, 138_365_992),
            (.densenet121, 7_978_856), (.mobilenetV2, 3_504_872), (.mobilenetV3Small, 2_542_856),
            (.efficientnetB0, 5_288_548), (.convnextTiny, 28_589_128),
        ])
    func torchvision(model: BuiltInModel, count: Int) throws {
        for extent in [64, 224] {
            let input = try ImageShape(channels: 3, height: extent, width: extent)
            let layout = try Network<Float>(model.description(input: input, classCount: 1000)).parameterLayout
            let trained = layout.entries.filter(\.isTrained)
            #expect(trained.reduce(0) { $0 + $1.range.count } == count)
        }
    }

    @Test("initial weights are uniform within ±1/√fan-in, differ by seed and repeat for the same seed")
    func initialization() throws {
        let network = try Network<Double>(
            BuiltInModel.mlp.description(
                input: ImageShape(channels: 1, height: 28, width: 28), classCount: 10))
        let parameters = network.initialParameters(seed: 1)
        for entry in network.parameterLayout.entries where entry.name.hasSuffix("weight") {
            let bound = 1 / Double(entry.shape[1]).squareRoot()
            let values = parameters.values(of: entry)
            #expect(values.allSatisfy { $0.magnitude <= bound })
            let variance = values.reduce(0) { $0 + $1 * $1 } / Double(values.count)
            #expect((variance / (bound * bound / 3) - 1).magnitude < 0.15, "\(entry.name)")
        }
        #expect(network.initialParameters(seed: 1) == parameters)
        #expect(network.initialParameters(seed: 2) != parameters)
    }

    struct Misfit: Sendable, CustomTestStringConvertible {
        let layers: [LayerDescription]
        let location: String
        let hint: String
        var testDescription: String { "\(location): \(hint)" }
    }

    @Test(
        "a layer that cannot take its input is named, with the remedy",
        arguments: [
            Misfit(
                layers: [.linear(.init(out: 2))], location: "layers[0] (linear)",
                hint: "put \"flatten\" before it"),
            Misfit(
                layers: [.flatten, .conv2d(.init(out: 2, kernel: 3))], location: "layers[1] (conv2d)",
                hint: "flatten"),
            Misfit(
                layers: [.relu, .conv2d(.init(out: 2, kernel: 9))], location: "layers[1] (conv2d)",
                hint: "(1, 6, 5)"),
            Misfit(
                layers: [.conv2d(.init(out: 3, kernel: 1, groups: 2))], location: "layers[0] (conv2d)",
                hint: "groups"),
            Misfit(
                layers: [.maxpool2d(.init(kernel: 2, padding: 2))], location: "layers[0] (maxpool2d)",
                hint: "half"),
            Misfit(
                layers: [.maxpool2d(.init(kernel: 7))], location: "layers[0] (maxpool2d)",
                hint: "does not fit"),
            Misfit(
                layers: [.avgpool2d(.init(kernel: 3, padding: 2))], location: "layers[0] (avgpool2d)",
                hint: "half"),
            Misfit(
                layers: [.relu, .avgpool2d(.init(kernel: 9, stride: 2, ceilMode: true))],
                location: "layers[1] (avgpool2d)", hint: "does not fit"),
            Misfit(
                layers: [.adaptiveavgpool2d(.init(height: 1 << 24, width: 1 << 24))],
                location: "layers[0] (adaptiveavgpool2d)", hint: "elements"),
            Misfit(
                layers: [.flatten, .globalavgpool], location: "layers[1] (globalavgpool)", hint: "flatten"),
            Misfit(
                layers: [.flatten, .linear(.init(out: 1 << 24)), .linear(.init(out: 1 << 24))],
                location: "layers[2] (linear)", hint: "parameters"),
            Misfit(
                layers: [.conv2d(.init(out: 1 << 24, kernel: 1))], location: "layers[0] (conv2d)",
                hint: "elements"),
            Misfit(layers: [.flatten, .linear(.init(out: 3))], location: "layers", hint: "2 classes"),
            Misfit(layers: [.relu], location: "layers", hint: "2 classes"),
            Misfit(layers: [], location: "layers", hint: "2 classes"),
        ])
    func shapeMismatch(misfit: Misfit) throws {
        let input = try ImageShape(channels: 1, height: 6, width: 5)
        let error = #expect(throws: NetworkError.self) {
            try Network<Float>(ModelDescription(input: input, classCount: 2, layers: misfit.layers))
        }
        #expect(error?.code == .shapeMismatch)
        #expect(error?.location == misfit.location)
        #expect(error?.message.contains(misfit.hint) == true)
    }

    @Test("weights that are missing, unknown or of another shape are named")
    func weightsMismatch() throws {
        let input = try ImageShape(channels: 1, height: 1, width: 3)
        let network = try Network<Float>(
            ModelDescription(input: input, classCount: 2, layers: [.flatten, .linear(.init(out: 2))]))
        let weight = try Tensor<Float>(shape: TensorShape([2, 3]), elements: [1, 2, 3, 4, 5, 6])
        let bias = try Tensor<Float>(shape: TensorShape([2]), elements: [7, 8])
        let good = try Parameters(
            layout: network.parameterLayout, named: ["1.weight": weight, "1.bias": bias])
        #expect(good.values == [1, 2, 3, 4, 5, 6, 7, 8])
        func location(_ tensors: [String: Tensor<Float>]) -> String? {
            let error = #expect(throws: NetworkError.self) {
                try Parameters(layout: network.parameterLayout, named: tensors)
            }
            #expect(error?.code == .weightsMismatch)
            return error?.location
        }
        #expect(location(["1.weight": weight]) == "1.bias")
        #expect(location(["1.weight": weight, "1.bias": bias, "2.bias": bias]) == "2.bias")
        #expect(location(["1.weight": bias, "1.bias": bias]) == "1.weight")
    }
}
