import RRExplanation
import RRNetworks
import Testing

@Suite("Class weights")
struct ClassWeightsTests {
    static let reference = ReferenceCase.all.first { $0.name == "mlp-softplus" }

    @Test("equal weights change no bit, whatever they are", arguments: [1.0, 4.0])
    func equalWeights(weight: Double) throws {
        let plain = try compute(classWeights: nil)
        let weighted = try compute(classWeights: Array(repeating: weight, count: 4))
        #expect(weighted.gradient.map(\.bitPattern) == plain.gradient.map(\.bitPattern))
        #expect(weighted.terms == plain.terms)
    }

    @Test("weights leave the penalty as it was")
    func penalty() throws {
        let plain = try compute(classWeights: nil).terms
        let weighted = try compute(classWeights: [0.25, 2, 0.75, 3]).terms
        #expect(weighted.penalty == plain.penalty)
        #expect(weighted.crossEntropy != plain.crossEntropy)
    }

    @Test("a sample whose class weighs nothing does not move the parameters by its label")
    func zeroWeight() throws {
        let labels = try #require(Self.reference).labels
        let weights = (0..<4).map { $0 == Int(labels[0]) ? 1.0 : 0 }
        let both = try compute(classWeights: weights, lambda1: 0)
        var changed = labels
        // All labels of other classes weigh nothing, so that one may stand for another.
        let other = try #require(labels.firstIndex { $0 != labels[0] })
        changed[other] = try #require((0..<4).first { $0 != labels[0] && $0 != labels[other] })
        let swapped = try compute(classWeights: weights, lambda1: 0, labels: changed)
        #expect(swapped.gradient == both.gradient)
        #expect(swapped.terms.crossEntropy == both.terms.crossEntropy)
    }

    @Test(
        "weights that are none of the classes' are refused by what is wrong",
        arguments: [
            ([1, 1, 1], "3 class weights"), ([1, 1, -1, 1], "class 2"), ([1, .nan, 1, 1], "class 1"),
            ([1, 1, 1, .infinity], "class 3"), ([0, 0, 0, 0], "weight 0"),
        ] as [([Double], String)])
    func refusal(weights: [Double], hint: String) {
        let error = #expect(throws: ExplanationError.self) { try compute(classWeights: weights) }
        #expect(error?.code == .unsuitableClassWeights)
        #expect(error?.message.contains(hint) == true)
    }

    private func compute(
        classWeights: [Double]?, lambda1: Double = 10, labels: [Int64]? = nil
    ) throws -> (gradient: [Double], terms: LossTerms) {
        let reference = try #require(Self.reference)
        let network = try reference.network(Double.self)
        let batch = try LabelledBatch(
            imageShape: reference.model.input, images: reference.images, labels: labels ?? reference.labels,
            masks: reference.masks)
        var gradient: [Double] = []
        let terms = try ExplanationLoss(network: network, lambda1: lambda1, classWeights: classWeights)
            .compute(batch, at: reference.parameters(of: network), gradient: &gradient)
        return (gradient, terms)
    }
}
