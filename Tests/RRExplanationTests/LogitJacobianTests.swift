import RRExplanation
import RRNetworks
import RRTensor
import Testing

@Suite("The penalty of the logits' Jacobian")
struct LogitJacobianTests {
    private static var input: ImageShape { get throws { try ImageShape(channels: 1, height: 2, width: 3) } }

    private func penalty(
        _ network: Network<Double>, _ parameters: Parameters<Double>, _ batch: LabelledBatch,
        _ target: PenaltyTarget = .logitJacobian, seed: UInt64 = 0, step: Int = 0
    ) throws -> Double {
        var gradient: [Double] = []
        return try #require(
            ExplanationLoss(network: network, lambda1: 1, target: target, seed: seed).compute(
                batch, at: parameters, dropout: DropoutKey(seed: seed, step: step), gradient: &gradient
            ).penalty)
    }

    private func batch(_ images: [Float], labels: [Int64] = [0], masks: [UInt8]) throws -> LabelledBatch {
        try LabelledBatch(imageShape: Self.input, images: images, labels: labels, masks: masks)
    }

    @Test("at p = ½ it is ½ |∂(z_1 − z_0)/∂x|² inside A, and that of sum-log-prob 0")
    func unsure() throws {
        let network = try Network<Double>(
            ModelDescription(
                input: Self.input, classCount: 2, layers: [.flatten, .linear(.init(out: 2))]))
        var parameters = network.initialParameters(seed: 1)
        let weights: [Double] = [1, -2, 0.5, 3, 0, 1, /* class 1: */ -1, 2, 0.25, 1, 4, -3]
        parameters.values = weights + [0, 0]
        // w_1 · x = w_0 · x, whatever the model looks at.
        let images: [Float] = [1, 0.5, 0, 0, 0, 0]
        let masks: [UInt8] = [1, 0, 1, 1, 0, 1]
        let expected =
            (0..<6).reduce(0) {
                let difference = masks[$1] == 0 ? 0 : weights[6 + $1] - weights[$1]
                return $0 + difference * difference
            } / 2
        let sample = try batch(images, masks: masks)
        #expect(try penalty(network, parameters, sample, .sumLogProbability) == 0)
        for step in 0..<20 {
            let found = try penalty(network, parameters, sample, seed: UInt64(step / 10), step: step)
            #expect(relativeDifference([found], [expected]) < 1e-14)
        }
    }

    private func squaredDeviations(_ values: [Double]) -> (mean: Double, sum: Double) {
        let mean = values.reduce(0, +) / Double(values.count)
        return (mean, values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +))
    }

    @Test("its mean over many directions is the squared norm of the centred Jacobian", arguments: [2, 3, 7])
    func unbiased(classCount: Int) throws {
        let network = try Network<Double>(
            ModelDescription(
                input: Self.input, classCount: classCount,
                layers: [
                    .flatten, .linear(.init(out: 8)), .softplus(beta: 1), .linear(.init(out: classCount)),
                ]))
        let parameters = network.initialParameters(seed: 4)
        let images: [Float] = [0.3, 0.9, 0.1, 0.5, 0.7, 0.2]
        let masks: [UInt8] = [1, 1, 0, 1, 0, 1]
        // ∇ log p_k is ∇z_k less a mean that is the same for all k, so centring leaves the centred Jacobian.
        let gradients: [[Double]] = try (0..<classCount).map { label in
            try InputGradients(network: network, target: .label).compute(
                batch(images, labels: [Int64(label)], masks: masks), at: parameters
            ).gradients
        }
        var expected = 0.0
        for element in 0..<6 where masks[element] != 0 {
            expected += squaredDeviations(gradients.map { $0[element] }).sum
        }
        let sample = try batch(images, masks: masks)
        let count = 4_000
        let draws = try (0..<count).map { try penalty(network, parameters, sample, seed: 9, step: $0) }
        let (mean, squares) = squaredDeviations(draws)
        let error = (squares / Double(count - 1) / Double(count)).squareRoot()
        #expect((mean - expected).magnitude <= 4 * error + 1e-12 * expected)
        // Else nothing would be shown. Two classes have one direction only.
        #expect(error < 0.05 * expected)
        #expect(classCount == 2 ? error < 1e-12 : error > 1e-4 * expected)
    }

    @Test("directions follow from the seed, the step and the sample's row")
    func directions() throws {
        let (network, parameters, batch) = try ExplanationLossTests.wideBatch(Double.self, sampleCount: 8)
        func value(seed: UInt64 = 3, step: Int? = 5, first: Int64 = 0, epoch: Int = 0) throws -> Double? {
            let moved = try LabelledBatch(
                imageShape: batch.imageShape, images: batch.images, labels: batch.labels, masks: batch.masks,
                indices: SharedElements((0..<8).map { first + $0 }), epoch: epoch)
            var gradient: [Double] = []
            return try ExplanationLoss(network: network, lambda1: 1, target: .logitJacobian, seed: seed)
                .compute(
                    moved, at: parameters, dropout: step.map { DropoutKey(seed: seed, step: $0) },
                    gradient: &gradient
                ).penalty
        }
        let values = try [
            value(), value(seed: 4), value(step: 6), value(first: 8), value(step: nil),
            value(step: nil, epoch: 1),
        ]
        #expect(Set(values).count == values.count && !values.contains(nil))
        #expect(try value() == values[0] && value(epoch: 1) == values[0])
    }
}
