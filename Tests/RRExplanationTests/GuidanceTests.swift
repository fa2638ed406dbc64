import RRExplanation
import RRNetworks
import RRTensor
import Testing

@Suite("Guidance beside the explanation loss")
struct GuidanceTests {
    static let counterexamples: [Guidance] = [
        .randomized, .adversarial(AdversaryOptions(stepCount: 3, radius: 0.4)),
        .counterexamples(CounterexampleOptions(fill: .noise, consistency: 0.5)),
    ]
    static let others = counterexamples + [.inputGradient]

    private func compute<Scalar: NetworkScalar>(
        _ guidance: Guidance, _ network: Network<Scalar>, _ parameters: Parameters<Scalar>,
        _ batch: LabelledBatch, lambda1: Double = 1, seed: UInt64 = 3, threadCount: Int? = nil
    ) throws -> ([Scalar], LossTerms) {
        var gradient: [Scalar] = []
        let terms = try ExplanationLoss(
            network: network, lambda1: lambda1, guidance: guidance, seed: seed, threadCount: threadCount
        ).compute(batch, at: parameters, gradient: &gradient)
        return (gradient, terms)
    }

    @Test("the number of threads has no effect on any bit", arguments: others, [2, 3, 8])
    func threads(guidance: Guidance, count: Int) throws {
        let (network, parameters, batch) = try ExplanationLossTests.wideBatch(Float.self, sampleCount: 61)
        let single = try compute(guidance, network, parameters, batch, threadCount: 1)
        let several = try compute(guidance, network, parameters, batch, threadCount: count)
        #expect(single.0.map(\.bitPattern) == several.0.map(\.bitPattern))
        #expect(single.1 == several.1)
    }

    @Test("a batch of many groups is the mean of its samples taken alone", arguments: others)
    func groups(guidance: Guidance) throws {
        let (network, parameters, batch) = try ExplanationLossTests.wideBatch(Double.self, sampleCount: 61)
        let together = try compute(guidance, network, parameters, batch)
        var sum = Array(repeating: 0.0, count: together.0.count)
        var value = 0.0
        let elementCount = batch.imageShape.elementCount
        let masks = try #require(batch.masks)
        for sample in 0..<batch.count {
            let elements = sample * elementCount..<(sample + 1) * elementCount
            let alone = try LabelledBatch(
                imageShape: batch.imageShape, images: Array(batch.images[elements]),
                labels: [batch.labels[sample]], masks: Array(masks[elements]), indices: [Int64(sample)])
            let (gradient, terms) = try compute(guidance, network, parameters, alone)
            for index in sum.indices { sum[index] += gradient[index] / Double(batch.count) }
            value += (terms.penalty ?? 0) / Double(batch.count)
        }
        #expect(relativeDifference(together.0, sum) < 1e-11)
        #expect(relativeDifference([try #require(together.1.penalty)], [value]) < 1e-12)
        #expect(together.1.annotatedCount < batch.count && together.1.annotatedCount > 0)
    }

    @Test(
        "zero masks, λ1 = 0 and no masks are plain cross-entropy bit for bit", arguments: counterexamples)
    func plain(guidance: Guidance) throws {
        let (network, parameters, batch) = try ExplanationLossTests.wideBatch(Float.self, sampleCount: 21)
        func with(masks: SharedElements<UInt8>?) throws -> LabelledBatch {
            try LabelledBatch(
                imageShape: batch.imageShape, images: batch.images, labels: batch.labels, masks: masks)
        }
        let plain = try compute(.rightReasons, network, parameters, with(masks: nil), lambda1: 0)
        let cases = try [
            compute(guidance, network, parameters, batch, lambda1: 0),
            compute(
                guidance, network, parameters,
                with(masks: batch.masks.map { SharedElements($0.map { _ in 0 }) }), lambda1: 5),
            compute(guidance, network, parameters, with(masks: nil), lambda1: 5),
        ]
        for (gradient, terms) in cases {
            #expect(gradient.map(\.bitPattern) == plain.0.map(\.bitPattern))
            #expect(terms.penalty == nil && terms.crossEntropy == plain.1.crossEntropy)
        }
        let guided = try compute(guidance, network, parameters, batch)
        #expect(guided.0 != plain.0 && guided.1.crossEntropy == plain.1.crossEntropy)
    }

    @Test("the input gradient's guidance is the penalty of the label with masks that are all ones")
    func wholeImage() throws {
        let (network, parameters, batch) = try ExplanationLossTests.wideBatch(Float.self, sampleCount: 29)
        let ones = try LabelledBatch(
            imageShape: batch.imageShape, images: batch.images, labels: batch.labels,
            masks: SharedElements(batch.images.map { _ in 1 }))
        var expected: [Float] = []
        let terms = try ExplanationLoss(network: network, lambda1: 10, target: .label)
            .compute(ones, at: parameters, gradient: &expected)
        for masks in [nil, batch.masks] {
            let other = try LabelledBatch(
                imageShape: batch.imageShape, images: batch.images, labels: batch.labels, masks: masks)
            let (gradient, found) = try compute(.inputGradient, network, parameters, other, lambda1: 10)
            #expect(gradient == expected && found.penalty == terms.penalty)
        }
        let plain = try compute(.inputGradient, network, parameters, batch, lambda1: 0)
        #expect(plain.1.penalty == nil && plain.0 != expected)
    }

    @Test("what is random follows from the seed, the epoch and the sample's row", arguments: counterexamples)
    func randomness(guidance: Guidance) throws {
        let (network, parameters, batch) = try ExplanationLossTests.wideBatch(Double.self, sampleCount: 8)
        func value(epoch: Int = 0, first: Int64 = 0, seed: UInt64 = 3) throws -> Double? {
            let moved = try LabelledBatch(
                imageShape: batch.imageShape, images: batch.images, labels: batch.labels, masks: batch.masks,
                indices: SharedElements((0..<8).map { first + $0 }), epoch: epoch)
            return try compute(guidance, network, parameters, moved, seed: seed).1.penalty
        }
        #expect(try value() == value())
        #expect(try value(epoch: 1) != value())
        #expect(try value(first: 8) != value())
        #expect(try value(seed: 4) != value())
    }

    @Test("the search finds images that are worse than random ones, and worse in a larger box")
    func search() throws {
        let (network, parameters, batch) = try ExplanationLossTests.wideBatch(Double.self, sampleCount: 40)
        func worst(_ steps: Int, _ radius: Double) throws -> Double {
            let adversary = AdversaryOptions(stepCount: steps, radius: radius)
            return try #require(
                compute(.adversarial(adversary), network, parameters, batch).1.penalty)
        }
        #expect(try worst(10, 0.5) > worst(1, 0.5))
        #expect(try worst(10, 1) > worst(10, 0.5))
        // In a box of no size the changed images are the images.
        let annotated = try #require(try batch.annotated())
        let plain = try compute(.rightReasons, network, parameters, annotated, lambda1: 0).1
        let share = Double(annotated.count) / Double(batch.count)
        #expect(relativeDifference([try worst(3, 1e-12)], [plain.crossEntropy * share]) < 1e-9)
    }

    @Test(
        "annotated samples without weight add nothing, whatever the reduction",
        arguments: PenaltyReduction.allCases)
    func weightless(reduction: PenaltyReduction) throws {
        let (network, parameters, batch) = try ExplanationLossTests.wideBatch(Float.self, sampleCount: 24)
        let masks = try #require(batch.masks)
        let elementCount = batch.imageShape.elementCount
        let first = try #require(masks.firstIndex { $0 != 0 }) / elementCount
        let label = batch.labels[first]
        let other = try LabelledBatch(
            imageShape: batch.imageShape, images: batch.images, labels: batch.labels,
            masks: SharedElements(
                masks.indices.map { batch.labels[$0 / elementCount] == label ? masks[$0] : 0 }))
        var weights = Array(repeating: 1.0, count: network.model.classCount)
        weights[Int(label)] = 0
        func gradient(lambda1: Double) throws -> ([Float], LossTerms) {
            var gradient: [Float] = []
            let terms = try ExplanationLoss(
                network: network, lambda1: lambda1, reduction: reduction, classWeights: weights,
                guidance: .randomized
            ).compute(other, at: parameters, gradient: &gradient)
            return (gradient, terms)
        }
        let guided = try gradient(lambda1: 7)
        try #require(guided.1.annotatedCount > 0)
        #expect(guided.1.penalty == 0)
        #expect(
            relativeDifference(guided.0.map(Double.init), try gradient(lambda1: 0).0.map(Double.init)) < 1e-5)
    }
}
