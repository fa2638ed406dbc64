import RRExplanation
import RRNetworks
import Testing

@Suite("Against PyTorch's double-backward")
struct ReferenceTests {
    @Test("every reference case is there")
    func casesAreThere() {
        #expect(ReferenceCase.all.map(\.name) == ReferenceCase.names)
        #expect(ReferenceCase.all.allSatisfy { $0.evaluations.count == 7 })
        #expect(ReferenceCase.smooth.count == 16)
    }

    @Test("logits and input gradients agree to 1e-12", arguments: ReferenceCase.all, PenaltyTarget.allCases)
    func inputGradients(reference: ReferenceCase, target: PenaltyTarget) throws {
        let network = try reference.network(Double.self)
        let (logits, gradients) = try InputGradients(network: network, target: target).compute(
            reference.batch(masks: nil), at: reference.parameters(of: network))
        #expect(relativeDifference(logits, reference.logits) < 1e-12)
        let expected = try #require(reference.inputGradients[target.rawValue])
        #expect(relativeDifference(gradients, expected) < 1e-12)
    }

    @Test(
        "loss, penalty and every parameter's gradient agree to 1e-11", arguments: ReferenceCase.all,
        Grouping.allCases)
    func doubleGradients(reference: ReferenceCase, grouping: Grouping) throws {
        try expectAgreement(reference, Double.self, grouping, within: 1e-11)
    }

    @Test("in float they agree to 2e-5", arguments: ReferenceCase.all, Grouping.allCases)
    func floatGradients(reference: ReferenceCase, grouping: Grouping) throws {
        try expectAgreement(reference, Float.self, grouping, within: 2e-5)
    }

    private func expectAgreement<Scalar: NetworkScalar>(
        _ reference: ReferenceCase, _: Scalar.Type, _ grouping: Grouping, within tolerance: Double
    ) throws {
        let network = grouping(try reference.network(Scalar.self))
        let parameters = try reference.parameters(of: network)
        for evaluation in reference.evaluations {
            let loss = ExplanationLoss(
                network: network, lambda1: evaluation.lambda1, target: evaluation.target,
                reduction: evaluation.reduction, classWeights: reference.classWeights)
            var gradient: [Scalar] = []
            let terms = try loss.compute(
                reference.batch(masks: reference.masks), at: parameters, dropout: reference.dropoutKey,
                gradient: &gradient)
            let penalty = try #require(terms.penalty)
            #expect(relativeDifference([terms.crossEntropy], [reference.crossEntropy]) < tolerance)
            #expect(relativeDifference([penalty], [evaluation.penalty]) < tolerance)
            #expect(relativeDifference([terms.loss], [evaluation.loss]) < tolerance)
            #expect(terms.annotatedCount == 3)
            for entry in network.parameterLayout.entries {
                guard entry.isTrained else {
                    #expect(gradient[entry.range].allSatisfy { $0 == 0 }, "\(entry.name) never changes")
                    continue
                }
                let expected = try #require(evaluation.gradients[entry.name])
                #expect(
                    relativeDifference(Array(gradient[entry.range]), expected) < tolerance,
                    "\(entry.name) for \(evaluation.target) and \(evaluation.reduction)")
            }
        }
    }
}
