import Foundation
import RRNetworks
import RRTensor
import TestSupport
import Testing

/// The weights of networks that start without any, against what torchvision draws.
@Suite("Initial weights")
struct InitializationTests {
    /// By network and tensor: the deviation and the largest magnitude.
    private static let reference: [String: [String: [Double]]] = {
        let data = FileManager.default.contents(atPath: Fixtures.path("reference/initial-weights.json"))
        return (try? JSONDecoder().decode([String: [String: [Double]]].self, from: data ?? Data())) ?? [:]
    }()

    private static let networks = BuiltInModel.allCases.filter(\.isFromTorchvision)

    private func model(_ name: BuiltInModel) throws -> ModelDescription {
        name.description(input: try ImageShape(channels: 3, height: 32, width: 32), classCount: 10)
    }

    @Test("each tensor has the deviation and the shape of torchvision's distribution", arguments: networks)
    func torchvision(name: BuiltInModel) throws {
        let expected = try #require(Self.reference[name.rawValue])
        let network = try Network<Float>(model(name))
        var generator = SplitMix64(seed: 5)
        for entry in network.parameterLayout.entries where entry.isTrained {
            let (deviation, largest) = (try #require(expected[entry.name]?[0]), expected[entry.name]?[1] ?? 0)
            let distribution = network.initialDistribution(of: entry, in: name)
            let count = min(entry.range.count, 4000)
            let values = (0..<count).map { _ in distribution.draw(from: &generator) }
            let own = (values.reduce(0) { $0 + $1 * $1 } / Double(count)).squareRoot()
            if case .constant(let value) = distribution {
                #expect(
                    (value - largest).magnitude < 1e-9 && (own - deviation).magnitude < 1e-9, "\(entry.name)")
                continue
            }
            // Five deviations of an estimate from a normal distribution, twice.
            #expect((own / deviation - 1).magnitude < 10 / (2 * Double(count)).squareRoot(), "\(entry.name)")
            guard count >= 500 else { continue }
            #expect((values.reduce(0, +) / Double(count)).magnitude < 5 * own / Double(count).squareRoot())
            // A uniform distribution ends at 1.73 deviations, a normal one of so many values hardly below 2.5.
            let isUniform = (values.map(\.magnitude).max() ?? 0) < 2 * own
            #expect(isUniform == (largest < 2 * deviation), "\(entry.name)")
        }
    }

    @Test("a network starts so where it is torchvision's to the layer, and a new head as any layer")
    func recognition() throws {
        let description = try model(.mobilenetV3Small)
        let network = try Network<Float>(description)
        let start = network.initialParameters(seed: 3)
        let bias = try #require(start.layout.entries.first { $0.name == "classifier.3.bias" })
        #expect(start.values(of: bias).allSatisfy { $0 == 0 })
        #expect(network.layerParameters(seed: 3).values(of: bias).allSatisfy { $0 != 0 })
        #expect(network.initialParameters(seed: 3) == start && network.initialParameters(seed: 4) != start)
        let other = try Network<Float>(
            ModelDescription(
                input: description.input, classCount: 10,
                layers: description.layers.dropLast() + [
                    .dropout(), .named("classifier.3", .linear(.init(out: 10))),
                ]))
        #expect(
            other.initialParameters(seed: 3)
                == Parameters(layout: other.parameterLayout, values: network.layerParameters(seed: 3).values))
    }

    @Test("the small networks start as they always did")
    func unchanged() throws {
        for name in [BuiltInModel.mlp, .lenet, .convnet, .resnet8] {
            let network = try Network<Float>(model(name))
            #expect(network.initialParameters(seed: 1) == network.layerParameters(seed: 1))
        }
    }
}
