import RRExplanation
import RRNetworks
import Testing

@Suite("torchvision's networks")
struct NetworkReferenceTests {
    @Test("each of them is there")
    func coverage() {
        #expect(!NetworkReference.all.isEmpty)
        if NetworkReference.all.allSatisfy({ $0.width < 1 }) {
            #expect(
                NetworkReference.all.map(\.name)
                    == BuiltInModel.allCases.filter(\.isFromTorchvision).map(\.rawValue))
        }
    }

    @Test("names and shapes are those of the state dict", arguments: NetworkReference.all)
    func names(reference: NetworkReference) throws {
        let entries = try Network<Float>(reference.model()).parameterLayout.entries
        #expect(Dictionary(uniqueKeysWithValues: entries.map { ($0.name, $0.shape) }) == reference.state)
        #expect(Set(entries.filter(\.isTrained).map(\.name)) == Set(reference.gradients.keys))
    }

    @Test(
        "logits, input gradients, loss, penalty and gradients agree with PyTorch to 1e-9",
        arguments: NetworkReference.all)
    func values(reference: NetworkReference) throws {
        let network = try Network<Double>(reference.model())
        let (parameters, batch) = (try reference.parameters(of: network), try reference.batch())
        let (logits, inputGradients) = try InputGradients(network: network).compute(batch, at: parameters)
        #expect(relativeDifference(logits, reference.logits) < 1e-9)
        #expect(reference.distance(of: inputGradients, nil, from: reference.inputGradient) < 1e-9)
        var gradient: [Double] = []
        let terms = try ExplanationLoss(network: network, lambda1: reference.lambda1)
            .compute(batch, at: parameters, gradient: &gradient)
        #expect(relativeDifference([terms.crossEntropy], [reference.crossEntropy]) < 1e-9)
        #expect(relativeDifference([try #require(terms.penalty)], [reference.penalty]) < 1e-9)
        for entry in network.parameterLayout.entries where entry.isTrained {
            let expected = try #require(reference.gradients[entry.name])
            let distance = reference.distance(of: gradient[entry.range], entry.name, from: expected)
            #expect(distance < 1e-9, "\(entry.name)")
        }
    }

    @Test(
        "in float the loss agrees to 1e-4, and the logits to 1e-4 of the largest",
        arguments: NetworkReference.all)
    func single(reference: NetworkReference) throws {
        let network = try Network<Float>(reference.model())
        var gradient: [Float] = []
        let terms = try ExplanationLoss(network: network, lambda1: reference.lambda1)
            .compute(reference.batch(), at: reference.parameters(of: network), gradient: &gradient)
        let logits = try InputGradients(network: network)
            .compute(reference.batch(), at: reference.parameters(of: network)).logits
        #expect(relativeDifference(logits, reference.logits) < 1e-4)
        #expect(relativeDifference([terms.loss], [reference.crossEntropy * 2]) < 1e-4)
    }

    @Test(
        "ten steps of stochastic gradient descent agree to 1e-8",
        arguments: NetworkReference.all.filter { $0.trajectory != nil })
    func trajectory(reference: NetworkReference) throws {
        let expected = try #require(reference.trajectory)
        let network = try Network<Double>(reference.model())
        let (start, batch) = (try reference.parameters(of: network), try reference.batch())
        let loss = ExplanationLoss(network: network, lambda1: reference.lambda1)
        var values = start.values
        var velocity = values.map { _ in 0.0 }
        var gradient: [Double] = []
        var losses: [Double] = []
        for _ in expected.losses {
            losses.append(
                try loss.compute(
                    batch, at: Parameters(layout: start.layout, values: values), gradient: &gradient
                ).loss)
            for entry in start.layout.entries where entry.isTrained {
                for index in entry.range {
                    velocity[index] = 0.9 * velocity[index] + gradient[index]
                    values[index] -= expected.learningRate * velocity[index]
                }
            }
        }
        #expect(zip(losses, expected.losses).allSatisfy { relativeDifference([$0], [$1]) < 1e-8 })
        for entry in start.layout.entries where entry.isTrained {
            let weights = try #require(expected.weights[entry.name])
            #expect(
                reference.distance(of: values[entry.range], entry.name, from: weights) < 1e-8, "\(entry.name)"
            )
        }
    }
}
