import RRExplanation
import RRNetworks
import RRTensor
import Testing

@Suite("Random architectures")
struct RandomArchitectureTests {
    @Test("300 stacks and 100 graphs are there, and every layer takes part in ten at least")
    func coverage() {
        #expect(RandomArchitecture.all.count >= 400)
        #expect(RandomArchitecture.all.count { $0.isSmooth } >= 150)
        // What these compute is compared with blocks and with batchnorm2d, in ExecutionPlanTests.
        for name in LayerDescription.servedNames where !["graph", "batchnorm1d"].contains(name) {
            #expect(RandomArchitecture.all.count { $0.layerNames.contains(name) } >= 10, "\(name)")
        }
    }

    @Test(
        "logits and input gradients agree with PyTorch to 1e-9", arguments: RandomArchitecture.all,
        Grouping.allCases)
    func inputGradients(architecture: RandomArchitecture, grouping: Grouping) throws {
        let network = grouping(try Network<Double>(architecture.model))
        let (parameters, batch) = try architecture.values(for: network)
        let (logits, gradients) = try InputGradients(network: network, target: architecture.target)
            .compute(batch, at: parameters)
        #expect(relativeDifference(logits, architecture.logits) < 1e-9)
        #expect(architecture.distance(of: gradients, 0, from: architecture.inputGradient) < 1e-9)
    }

    @Test(
        "loss, penalty and every parameter's gradient agree with PyTorch to 1e-9",
        arguments: RandomArchitecture.all, Grouping.allCases)
    func gradients(architecture: RandomArchitecture, grouping: Grouping) throws {
        let network = grouping(try Network<Double>(architecture.model))
        let (parameters, batch) = try architecture.values(for: network)
        var gradient: [Double] = []
        let terms = try loss(architecture, network).compute(
            batch, at: parameters, dropout: architecture.dropout, gradient: &gradient)
        #expect(relativeDifference([terms.crossEntropy], [architecture.crossEntropy]) < 1e-9)
        #expect(relativeDifference([try #require(terms.penalty)], [architecture.penalty]) < 1e-9)
        let trained = network.parameterLayout.entries.filter(\.isTrained)
        #expect(trained.count == architecture.gradients.count)
        // A bias before a normalisation has a gradient of zero, which rounding alone decides on.
        let floor = 1e-3 * (architecture.gradients.map { $0[2] }.max() ?? 0)
        for (number, (entry, expected)) in zip(trained, architecture.gradients).enumerated() {
            let distance = architecture.distance(
                of: gradient[entry.range], number + 1, from: expected, floor: floor)
            #expect(distance < 1e-9, "\(entry.name)")
        }
    }

    @Test(
        "directional central differences agree to 1e-6 where there are no kinks",
        arguments: RandomArchitecture.all.filter(\.isSmooth))
    func finiteDifferences(architecture: RandomArchitecture) throws {
        let network = try Network<Double>(architecture.model)
        var (parameters, batch) = try architecture.values(for: network)
        let loss = loss(architecture, network)
        var gradient: [Double] = []
        _ = try loss.compute(batch, at: parameters, dropout: architecture.dropout, gradient: &gradient)

        // Along the gradient itself in part, so that the slope is not small by chance.
        let norm = gradient.reduce(0) { $0 + $1 * $1 }.squareRoot()
        var generator = SplitMix64(seed: architecture.seed)
        let direction = network.parameterLayout.entries.flatMap { entry in
            gradient[entry.range].map { slope in
                entry.isTrained ? generator.nextUnit() - 0.5 + slope / norm : 0
            }
        }
        let start = parameters.values
        func value(at distance: Double) throws -> Double {
            parameters.values = zip(start, direction).map { $0 + distance * $1 }
            var unused: [Double] = []
            return try loss.compute(
                batch, at: parameters, dropout: architecture.dropout, gradient: &unused
            ).loss
        }
        // Central differences over one and over two steps, combined so that the step's third power cancels.
        let step = 1e-5
        let near = try value(at: step) - value(at: -step)
        let far = try value(at: 2 * step) - value(at: -2 * step)
        let difference = (8 * near - far) / (12 * step)
        let slope = zip(gradient, direction).reduce(0) { $0 + $1.0 * $1.1 }
        #expect(relativeDifference([slope], [difference]) < 1e-6)
    }

    @Test("each sample's input gradient is that of the sample alone", arguments: RandomArchitecture.all)
    func independence(architecture: RandomArchitecture) throws {
        let network = try Network<Double>(architecture.model)
        let (parameters, batch) = try architecture.values(for: network)
        let explanation = InputGradients(network: network, target: architecture.target, threadCount: 1)
        let together = try explanation.compute(batch, at: parameters).gradients
        let elementCount = architecture.model.input.elementCount
        for sample in 0..<batch.count {
            let elements = sample * elementCount..<(sample + 1) * elementCount
            let alone = try explanation.compute(
                LabelledBatch(
                    imageShape: architecture.model.input, images: Array(batch.images[elements]),
                    labels: [batch.labels[sample]]),
                at: parameters
            ).gradients
            let difference = zip(alone, together[elements]).map { ($0 - $1).magnitude }.max() ?? 0
            #expect(difference <= 1e-9 * architecture.inputGradient[2])
        }
    }

    @Test(
        "layers that several threads share give the same bytes", arguments: RandomArchitecture.all,
        Grouping.allCases)
    func shares(architecture: RandomArchitecture, grouping: Grouping) throws {
        func compute(shareCount: Int, threadCount: Int) throws -> ([Double], LossTerms) {
            var network = grouping(try Network<Double>(architecture.model))
            network.groupLimits.fixedShareCount = shareCount
            let (parameters, batch) = try architecture.values(for: network)
            var gradient: [Double] = []
            let terms = try loss(architecture, network, threadCount: threadCount).compute(
                batch, at: parameters, dropout: architecture.dropout, gradient: &gradient)
            return (gradient, terms)
        }
        let whole = try compute(shareCount: 1, threadCount: 1)
        for (shareCount, threadCount) in [(3, 2), (64, 8)] {
            let shared = try compute(shareCount: shareCount, threadCount: threadCount)
            #expect(shared.0 == whole.0)
            #expect(shared.1 == whole.1)
        }
    }

    private func loss(
        _ architecture: RandomArchitecture, _ network: Network<Double>, threadCount: Int = 1
    ) -> ExplanationLoss<Double> {
        ExplanationLoss(
            network: network, lambda1: architecture.lambda1, target: architecture.target,
            reduction: architecture.reduction, classWeights: architecture.classWeights,
            threadCount: threadCount)
    }
}
