import Foundation
import RRExplanation
import RRNetworks
import RRTensor
import TestSupport
import Testing

/// What dropout and stochastic depth do to torchvision's networks in training.
@Suite("What torchvision's networks leave out in training")
struct LeftOutReferenceTests {
    @Test("each network that leaves anything out is there, and no other")
    func coverage() throws {
        let names = try BuiltInModel.allCases.filter(\.isFromTorchvision).filter { model in
            try !Self.layers(
                model.description(
                    input: ImageShape(channels: 3, height: 32, width: 32), classCount: 5)
            ).isEmpty
        }.map(\.rawValue)
        #expect(LeftOutReference.all.map(\.name) == names)
    }

    @Test(
        "the layers that leave something out have torchvision's probabilities",
        arguments: LeftOutReference.all)
    func probabilities(reference: LeftOutReference) throws {
        let model = try #require(BuiltInModel(rawValue: reference.name))
        let layers = Self.layers(
            try model.description(
                input: ImageShape(channels: 3, height: 224, width: 224), classCount: 1000))
        #expect(layers.count == reference.layers.count)
        for (layer, expected) in zip(layers, reference.layers) {
            #expect((layer.probability - expected.probability).magnitude < 1e-15, "\(layer.place)")
        }
    }

    @Test(
        "loss, penalty and gradients agree with PyTorch to 1e-9, given what the seed leaves out",
        arguments: LeftOutReference.all)
    func values(reference: LeftOutReference) throws {
        let whole = try #require(NetworkReference.narrow.first { $0.name == reference.name })
        #expect(try Self.layers(whole.model()).map(\.place) == reference.layers.map(\.place))
        let network = try Network<Double>(whole.model())
        let parameters = try whole.parameters(of: network)
        let loss = ExplanationLoss(network: network, lambda1: reference.lambda1)
        var gradient: [Double] = []
        let terms = try loss.compute(
            whole.batch(), at: parameters, dropout: DropoutKey(seed: whole.seed, step: 0),
            gradient: &gradient)
        #expect(relativeDifference([terms.crossEntropy], [reference.crossEntropy]) < 1e-9)
        #expect(relativeDifference([try #require(terms.penalty)], [reference.penalty]) < 1e-9)
        #expect(relativeDifference([terms.crossEntropy], [whole.crossEntropy]) > 1e-3)
        for entry in network.parameterLayout.entries where entry.isTrained {
            let expected = try #require(reference.gradients[entry.name])
            // What is left out leaves a gradient of zero, in both.
            let distance = whole.distance(of: gradient[entry.range], entry.name, from: expected)
            #expect(distance < 1e-9, "\(entry.name)")
        }
    }

    /// The layers that leave something out, with their places.
    private static func layers(_ model: ModelDescription) -> [LeftOutReference.Layer] {
        layers(model.layers, in: "layers")
    }

    private static func layers(_ list: [LayerDescription], in place: String) -> [LeftOutReference.Layer] {
        list.enumerated().flatMap { number, layer -> [LeftOutReference.Layer] in
            let place = "\(place)[\(number)]"
            if let probability = layer.probabilityOfLeavingOut {
                return [.init(place: place, probability: probability)]
            }
            return layer.body.map { layers($0, in: "\(place).body") } ?? []
        }
    }
}

extension LayerDescription {
    fileprivate var probabilityOfLeavingOut: Double? {
        switch self {
        case .dropout(let probability), .stochasticdepth(let probability): probability
        case .named(_, let layer): layer.probabilityOfLeavingOut
        default: nil
        }
    }

    fileprivate var body: [LayerDescription]? {
        switch self {
        case .residual(let block): block.body
        case .named(_, let layer): layer.body
        default: nil
        }
    }
}

/// One of `Fixtures/reference/networks-left-out.json`, of the weights and images that `networks.json` has.
struct LeftOutReference: Decodable, CustomTestStringConvertible {
    struct Layer: Decodable {
        let place: String
        let probability: Double

        init(place: String, probability: Double) {
            self.place = place
            self.probability = probability
        }

        init(from decoder: any Decoder) throws {
            var list = try decoder.unkeyedContainer()
            place = try list.decode(String.self)
            probability = try list.decode(Double.self)
        }
    }

    let name: String
    let layers: [Layer]
    let lambda1: Double
    let crossEntropy: Double
    let penalty: Double
    let gradients: [String: NetworkReference.Projections]

    private enum CodingKeys: String, CodingKey {
        case name, layers, lambda1, penalty, gradients
        case crossEntropy = "cross_entropy"
    }

    static let all: [LeftOutReference] = {
        let path = Fixtures.path("reference/networks-left-out.json")
        let data = FileManager.default.contents(atPath: path) ?? Data()
        return (try? JSONDecoder().decode([LeftOutReference].self, from: data)) ?? []
    }()

    var testDescription: String { name }
}
