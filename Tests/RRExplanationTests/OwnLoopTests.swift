import RRExplanation
import RRNetworks
import RRTensor
import Testing

@Suite("A training loop of one's own")
struct OwnLoopTests {
    @Test("steps along the gradient lower the loss, its penalty and the input gradient under the masks")
    func descent() throws {
        let shape = try ImageShape(channels: 1, height: 6, width: 6)
        let model = ModelDescription(
            input: shape, classCount: 3,
            layers: [.flatten, .linear(.init(out: 16)), .softplus(beta: 1), .linear(.init(out: 3))])
        let network = try Network<Double>(model)
        var parameters = network.initialParameters(seed: 4)
        var generator = SplitMix64(seed: 9)
        let images = (0..<30 * shape.elementCount).map { _ in Float(generator.nextUnit()) }
        let masks = (0..<images.count).map { UInt8($0 % 36 < 12 ? 1 : 0) }
        let batch = try LabelledBatch(
            imageShape: shape, images: images, labels: (0..<30).map { $0 % 3 }, masks: masks)
        let loss = ExplanationLoss(network: network, lambda1: 1)
        let explanation = InputGradients(network: network)
        func gradientUnderMasks() throws -> Double {
            zip(try explanation.compute(batch, at: parameters).gradients, masks).reduce(0) { sum, pair in
                pair.1 == 0 ? sum : sum + pair.0 * pair.0
            }
        }

        let before = try gradientUnderMasks()
        var gradient: [Double] = []
        var terms: [LossTerms] = []
        for _ in 0..<40 {
            terms.append(try loss.compute(batch, at: parameters, gradient: &gradient))
            parameters.withUnsafeMutableValues { values in
                for index in values.indices { values[index] -= 0.05 * gradient[index] }
            }
        }
        let first = try #require(terms.first)
        let last = try #require(terms.last)
        #expect(last.loss < first.loss)
        #expect(try #require(last.penalty) < #require(first.penalty))
        #expect(try gradientUnderMasks() < before)
        #expect(first.sampleCount == 30 && first.annotatedCount == 30)
    }
}
