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
        var gradient: [Double] = []
        let terms = try ExplanationLoss(network: network, lambda1: reference.lambda1)
            .compute(batch, at: parameters, gradient: &gradient)
        let figures = [
            ("logits", relativeDifference(logits, reference.logits)),
            (
                "input gradient",
                reference.distance(of: inputGradients, nil, from: reference.inputGradient)
            ),
            ("cross-entropy", relativeDifference([terms.crossEntropy], [reference.crossEntropy])),
            ("penalty", relativeDifference([try #require(terms.penalty)], [reference.penalty])),
        ]
        for (name, distance) in figures { #expect(distance < 1e-9, "\(name)") }
        var largest = 0.0
        for entry in network.parameterLayout.entries where entry.isTrained {
            let expected = try #require(reference.gradients[entry.name])
            let distance = reference.distance(of: gradient[entry.range], entry.name, from: expected)
            #expect(distance < 1e-9, "\(entry.name)")
            largest = max(largest, distance)
        }
        reference.report(figures + [("gradients", largest)])
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
        let lossDistance = zip(losses, expected.losses).map { relativeDifference([$0], [$1]) }.max() ?? 0
        #expect(lossDistance < 1e-8)
        var largest = 0.0
        for entry in start.layout.entries where entry.isTrained {
            let weights = try #require(expected.weights[entry.name])
            let distance = reference.distance(of: values[entry.range], entry.name, from: weights)
            #expect(distance < 1e-8, "\(entry.name)")
            largest = max(largest, distance)
        }
        reference.report([("losses of ten steps", lossDistance), ("weights after them", largest)])
    }
}
