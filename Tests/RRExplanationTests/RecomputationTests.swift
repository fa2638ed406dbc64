import RRExplanation
import RRNetworks
import RRTensor
import Testing

@Suite("Feature maps that are computed again instead of kept")
struct RecomputationTests {
    /// What a step comes to: the gradient's bits, the loss, and every sample's input gradient.
    private struct Step: Equatable {
        var gradient: [Double]
        let terms: LossTerms
    }

    private static func step(
        _ architecture: RandomArchitecture, _ network: Network<Double>, lambda1: Double,
        guidance: Guidance = .rightReasons, attribution: Attribution = .inputGradient, threadCount: Int = 1
    ) throws -> Step {
        let (parameters, batch) = try architecture.values(for: network)
        var gradient: [Double] = []
        let terms = try ExplanationLoss(
            network: network, lambda1: lambda1, target: architecture.target, guidance: guidance,
            attribution: attribution, threadCount: threadCount
        ).compute(batch, at: parameters, dropout: architecture.dropout, gradient: &gradient)
        return Step(gradient: gradient, terms: terms)
    }

    @Test("many random architectures have places to cut at")
    func coverage() throws {
        let counts = try RandomArchitecture.all.map {
            try Network<Double>($0.model).segmentations.last?.count ?? 0
        }
        #expect(counts.count { $0 >= 3 } >= 300)
        #expect(counts.count { $0 >= 6 } >= 50)
    }

    @Test(
        "give the same bytes, with the penalty, without and with counterexamples",
        arguments: RandomArchitecture.all, Grouping.allCases)
    func bytes(architecture: RandomArchitecture, grouping: Grouping) throws {
        let whole = grouping(try Network<Double>(architecture.model))
        var cut = whole
        let ways = whole.segmentations
        cut.segments = ways[grouping == .bySize ? min(1, ways.count - 1) : ways.count / 2]
        let adversary = Guidance.adversarial(AdversaryOptions(stepCount: 2, radius: 0.1, stepSize: nil))
        for (lambda1, guidance) in [
            (architecture.lambda1, Guidance.rightReasons), (0, .rightReasons), (1, adversary),
        ] {
            let kept = try Self.step(architecture, whole, lambda1: lambda1, guidance: guidance)
            let again = try Self.step(
                architecture, cut, lambda1: lambda1, guidance: guidance, threadCount: 3)
            #expect(kept == again)
        }
        // What is before the map that an explanation is about takes two passes, what is behind it four. One of eight is enough.
        guard grouping == .bySize, architecture.seed / 1_000_000 % 8 == 0, let map = try? whole.featureMap()
        else { return }
        for attribution in [Attribution.gradCAM(map), .featureGradient(map)] {
            let kept = try Self.step(
                architecture, whole, lambda1: architecture.lambda1, attribution: attribution)
            let again = try Self.step(
                architecture, cut, lambda1: architecture.lambda1, attribution: attribution, threadCount: 3)
            #expect(kept == again)
        }
    }

    @Test(
        "give the same bytes in torchvision's networks, however they are cut", arguments: NetworkReference.all
    )
    func networks(reference: NetworkReference) throws {
        var network = try Network<Float>(reference.model())
        network.groupLimits = .largeMaps
        let parameters = try reference.parameters(of: network)
        let batch = try reference.batch(count: 5)
        let segmentations = network.segmentations
        #expect(segmentations.count >= 3)
        var steps: [(terms: LossTerms, bits: [UInt32])] = []
        for segments in [
            segmentations[0], segmentations[1], segmentations[segmentations.count / 2],
            segmentations[segmentations.count - 1],
        ] {
            network.segments = segments
            var gradient: [Float] = []
            let terms = try ExplanationLoss(network: network, lambda1: reference.lambda1, threadCount: 2)
                .compute(batch, at: parameters, dropout: DropoutKey(seed: 1, step: 2), gradient: &gradient)
            steps.append((terms, gradient.map(\.bitPattern)))
        }
        for step in steps.dropFirst() {
            #expect(step.terms == steps[0].terms)
            #expect(step.bits == steps[0].bits)
        }
    }

    @Test("of logits and input gradients change nothing either", arguments: RandomArchitecture.all)
    func inputGradients(architecture: RandomArchitecture) throws {
        let whole = try Network<Double>(architecture.model)
        var cut = whole
        let ways = whole.segmentations
        cut.segments = ways[min(1, ways.count - 1)]
        let (parameters, batch) = try architecture.values(for: whole)
        let kept = try InputGradients(network: whole, threadCount: 1).compute(batch, at: parameters)
        let again = try InputGradients(network: cut, threadCount: 2).compute(batch, at: parameters)
        #expect(kept.logits == again.logits)
        #expect(kept.gradients == again.gradients)
    }

    @Test("cuts leave less than three quarters of what maps take that share memory as they are")
    func memory() throws {
        let input = try ImageShape(channels: 3, height: 224, width: 224)
        var network = try Network<Float>(
            BuiltInModel.resnet50.description(input: input, classCount: 10))
        let training = TrainingMemory(
            sampleCount: 32, threadCount: 1, hasPenalty: true, momentCount: 2, keepsGradient: true,
            isMeasured: false, otherBytes: 0)
        let parameters = 5 * network.parameterLayout.count * 4
        var sizes: [Int] = []
        for segments in network.segmentations {
            network.segments = segments
            sizes.append(network.byteCount(training) - parameters)
        }
        #expect(sizes[1] < sizes[0])
        #expect(sizes.min() ?? 0 < sizes[0] * 3 / 4)
    }

    @Test("a limit first takes samples that are on their way at once, and then maps")
    func limits() throws {
        let input = try ImageShape(channels: 3, height: 224, width: 224)
        let network = try Network<Float>(
            BuiltInModel.resnet50.description(input: input, classCount: 10))
        let training = TrainingMemory(
            sampleCount: 32, threadCount: 8, hasPenalty: true, momentCount: 2, keepsGradient: false,
            isMeasured: false, otherBytes: 200 << 20)
        func bounded(_ limit: Int) -> (isKept: Bool, network: Network<Float>) {
            var network = network
            return (network.bound(training, to: limit), network)
        }
        let all = bounded(.max)
        #expect(all.network.groupLimits.largestPlaceCount == 8)
        #expect(all.network.byteCount(training) == network.byteCount(training))
        let four = bounded(4 << 30)
        #expect(four.isKept, "ResNet-50 with the penalty trains in 4 GB by batches of 32")
        #expect(four.network.byteCount(training) <= 4 << 30)
        let little = bounded(1)
        #expect(!little.isKept)
        let smallest = little.network.byteCount(training)
        #expect(bounded(smallest).isKept)
        #expect(!bounded(smallest - 1).isKept)
        #expect(bounded(smallest).network.segments.count > 1)
        #expect(bounded(smallest).network.groupLimits.largestPlaceCount == 1)
    }
    @Test("a gradient in pieces takes the memory of what lanes add up, and of one piece")
    func pieces() throws {
        let network = try Network<Float>(
            BuiltInModel.vgg16.description(
                input: ImageShape(channels: 3, height: 224, width: 224), classCount: 10))
        var training = TrainingMemory(
            sampleCount: 8, threadCount: 2, hasPenalty: false, momentCount: 2, keepsGradient: true,
            isMeasured: false, otherBytes: 0)
        let whole = network.byteCount(training)
        training.keepsGradient = false
        let saved = whole - network.byteCount(training)
        #expect(saved > network.parameterLayout.count * 4 * 8 / 10)
        #expect(saved < network.parameterLayout.count * 4)
    }
}
