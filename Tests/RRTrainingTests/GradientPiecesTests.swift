import RRExplanation
import RRNetworks
import RRTensor
import Testing

@testable import RRTraining

/// A bound that no norm reaches makes a trainer hold the gradient whole, and changes nothing else.
@Suite("Steps whose gradient comes in pieces")
struct GradientPiecesTests {
    private static let input: (channels: Int, height: Int, width: Int) = (2, 5, 5)

    private static func network() throws -> Network<Float> {
        var network = try Network<Float>(
            ModelDescription(
                input: ImageShape(channels: input.channels, height: input.height, width: input.width),
                classCount: 3,
                layers: [
                    .conv2d(.init(out: 8, kernel: 3, stride: 2, padding: 1)), .relu,
                    .conv2d(.init(out: 64, kernel: 3, padding: 0)), .relu, .flatten,
                    .linear(.init(out: 32)), .relu, .linear(.init(out: 3)),
                ]))
        network.groupLimits = .largeMaps
        return network
    }

    private func parameters(
        of network: Network<Float>, _ optimization: OptimizationOptions, threadCount: Int
    ) throws -> [Float] {
        let trainer = try Trainer(
            network: network, parameters: nil, loss: LossOptions(lambda1: 2), optimization: optimization,
            length: TrainingLength(stepsPerEpoch: 2, stepCount: 3), normalization: nil, seed: 1,
            threadCount: threadCount)
        var generator = SplitMix64(seed: 4)
        let shape = network.model.input
        for sampleCount in [6, 9, 6] {
            let count = sampleCount * shape.elementCount
            let batch = try LabelledBatch(
                imageShape: shape, images: (0..<count).map { _ in Float(generator.nextUnit()) },
                labels: (0..<sampleCount).map { Int64($0 % 3) },
                masks: (0..<count).map { $0 % 4 == 0 ? 1 : 0 })
            _ = try trainer.step(batch)
        }
        return trainer.parameters.values
    }

    @Test(
        "leave the parameters of steps whose gradient is whole",
        arguments: [
            OptimizationOptions(.sgd, learningRate: 0.1, weightDecay: 0.01),
            OptimizationOptions(.sgd, learningRate: 0.1, momentum: 0.9),
            OptimizationOptions(.adam, learningRate: 0.01, weightDecay: 0.01),
            OptimizationOptions(.adamw, learningRate: 0.01, weightDecay: 0.01),
        ], [1, 3])
    func bytes(optimization: OptimizationOptions, threadCount: Int) throws {
        let network = try Self.network()
        var changes: [(inout OptimizationOptions) -> Void] = [
            { _ in }, { $0.frozenLayers = ["0", "5"] }, { $0.headLearningRate = 0.2 },
        ]
        changes.append {
            $0.frozenLayers = ["..2"]
            $0.frozenEpochs = 1
        }
        var results: Set<[Float]> = []
        for change in changes {
            var pieces = optimization
            change(&pieces)
            var whole = pieces
            whole.largestNorm = 1e30
            let expected = try parameters(of: network, whole, threadCount: threadCount)
            #expect(try parameters(of: network, pieces, threadCount: threadCount) == expected)
            results.insert(expected)
        }
        #expect(results.count == changes.count, "every change has an effect")
    }
}
