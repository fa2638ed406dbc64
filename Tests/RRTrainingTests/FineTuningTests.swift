import RRExplanation
import RRFormats
import RRNetworks
import RRTensor
import RRTraining
import Testing

@Suite("Frozen layers and a rate of the head's own")
struct FineTuningTests {
    private let model: ModelDescription
    private let batch: LabelledBatch
    /// The values before the head's.
    private let body: Range<Int>

    init() throws {
        let shape = try ImageShape(channels: 1, height: 2, width: 2)
        model = ModelDescription(
            input: shape, classCount: 2,
            layers: [.flatten, .linear(.init(out: 3)), .tanh, .linear(.init(out: 2))])
        batch = try LabelledBatch(
            imageShape: shape, images: [0.1, 0.9, 0.4, 0.3, 0.8, 0.2, 0.7, 0.6], labels: [0, 1], masks: nil)
        body = 0..<15
    }

    private func trainer(_ options: OptimizationOptions) throws -> Trainer<Double> {
        try Trainer<Double>(
            model: model, loss: LossOptions(lambda1: 0), optimization: options,
            length: TrainingLength(stepsPerEpoch: 2, stepCount: 8), seed: 3)
    }

    @Test("frozen layers are trained after their epochs, and their moments begin there, as PyTorch's")
    func unfreezing() throws {
        let trainer = try trainer(
            OptimizationOptions(learningRate: 0.01, frozenLayers: ["backbone"], frozenEpochs: 1))
        let start = trainer.parameters.values
        for _ in 0..<2 { _ = try trainer.step(batch) }
        let middle = trainer.parameters.values
        #expect(middle[body] == start[body])
        #expect(zip(middle, start).dropFirst(15).allSatisfy { $0 != $1 })
        _ = try trainer.step(batch)
        // The first step of Adam is the rate, whatever the gradient: here that of weights which have never moved.
        let moves = zip(trainer.parameters.values, middle).prefix(15).map { ($0 - $1).magnitude }
        #expect(moves.allSatisfy { ($0 - 0.01).magnitude < 1e-5 }, "\(moves)")
    }

    @Test("without an end of it, frozen layers stay as they are")
    func frozen() throws {
        let trainer = try trainer(OptimizationOptions(learningRate: 0.01, frozenLayers: ["..1"]))
        let start = trainer.parameters.values
        for _ in 0..<4 { _ = try trainer.step(batch) }
        #expect(trainer.parameters.values[body] == start[body])
    }

    @Test("the head has its own rate, and the others theirs")
    func headRate() throws {
        func moves(_ headRate: Double?) throws -> [Double] {
            let trainer = try trainer(
                OptimizationOptions(.sgd, learningRate: 0.1, headLearningRate: headRate))
            let start = trainer.parameters.values
            _ = try trainer.step(batch)
            return zip(trainer.parameters.values, start).map { $0 - $1 }
        }
        let (plain, faster, still) = (try moves(nil), try moves(0.3), try moves(0))
        #expect(faster[body] == plain[body] && still[body] == plain[body])
        #expect(still[15...].allSatisfy { $0 == 0 })
        #expect(zip(faster, plain).dropFirst(15).allSatisfy { ($0 - 3 * $1).magnitude < 1e-12 && $1 != 0 })
    }

    @Test(
        "options without sense are refused by their names",
        arguments: [
            ("frozenEpochs", OptimizationOptions(frozenEpochs: 1)),
            ("frozenEpochs", OptimizationOptions(frozenLayers: ["1"], frozenEpochs: 0)),
            ("headLearningRate", OptimizationOptions(headLearningRate: -1)),
            ("frozenLayers", OptimizationOptions(frozenLayers: ["..layer9"])),
        ])
    func refusals(name: String, options: OptimizationOptions) {
        let error = #expect(throws: TrainingError.self) { try trainer(options) }
        #expect(error?.description.contains("`\(name)`") == true, "\(error as Any)")
    }

    @Test("an end of freezing needs the length of an epoch")
    func withoutLength() {
        let error = #expect(throws: TrainingError.self) {
            try Trainer<Double>(
                model: model, loss: LossOptions(lambda1: 0),
                optimization: OptimizationOptions(frozenLayers: ["1"], frozenEpochs: 1))
        }
        #expect(error?.description.contains("`frozenEpochs`") == true)
    }
}
