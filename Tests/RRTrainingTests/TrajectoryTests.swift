import Foundation
import RRExplanation
import RRFormats
import RRNetworks
import RRTensor
import RRTraining
import TestSupport
import Testing

/// Ten training steps of a small perceptron, with every step's loss and the final weights from PyTorch.
struct Trajectory: Decodable, CustomTestStringConvertible {
    struct Weight: Decodable {
        let shape: [Int]
        let values: [Double]
    }

    struct OptimizerFields: Decodable {
        let name: OptimizationOptions.Optimizer
        let learningRate: Double
        let momentum: Double
        let weightDecay: Double

        private enum CodingKeys: String, CodingKey {
            case name, momentum
            case learningRate = "learning_rate"
            case weightDecay = "weight_decay"
        }
    }

    struct Step: Decodable {
        let loss: Double
        let crossEntropy: Double
        let penalty: Double

        private enum CodingKeys: String, CodingKey {
            case loss, penalty
            case crossEntropy = "cross_entropy"
        }
    }

    var name = ""
    let model: ModelDescription
    let optimizer: OptimizerFields
    let lambda1: Double
    let batchSize: Int
    let images: [Float]
    let labels: [Int64]
    let masks: [UInt8]
    let initialWeights: [String: Weight]
    let steps: [Step]
    let finalWeights: [String: Weight]

    private enum CodingKeys: String, CodingKey {
        case model, optimizer, lambda1, images, labels, masks, steps
        case batchSize = "batch_size"
        case initialWeights = "initial_weights"
        case finalWeights = "final_weights"
    }

    var testDescription: String { name }

    static let names = ["sgd", "adam", "adam-weight-decay", "adamw", "blocks-sgd", "blocks-adamw"]

    static let all: [Trajectory] = names.compactMap { name in
        guard
            let data = FileManager.default.contents(
                atPath: Fixtures.path("reference/trajectory-\(name).json")),
            var trajectory = try? JSONDecoder().decode(Trajectory.self, from: data)
        else { return nil }
        trajectory.name = name
        return trajectory
    }

    func batch(_ number: Int) throws -> LabelledBatch {
        let batchCount = labels.count / batchSize
        let samples = number % batchCount * batchSize..<(number % batchCount + 1) * batchSize
        let elementCount = model.input.elementCount
        let elements = samples.lowerBound * elementCount..<samples.upperBound * elementCount
        return try LabelledBatch(
            imageShape: model.input, images: Array(images[elements]), labels: Array(labels[samples]),
            masks: Array(masks[elements]))
    }
}

@Suite("Training steps against PyTorch's")
struct TrajectoryTests {
    @Test("every trajectory is there")
    func trajectoriesAreThere() {
        #expect(Trajectory.all.map(\.name) == Trajectory.names)
        #expect(Trajectory.all.allSatisfy { $0.steps.count == 10 })
    }

    @Test("losses and final weights agree to 1e-9 in double", arguments: Trajectory.all)
    func double(trajectory: Trajectory) throws { try follow(trajectory, Double.self, within: 1e-9) }

    @Test("losses and final weights agree to 1e-3 in float", arguments: Trajectory.all)
    func float(trajectory: Trajectory) throws { try follow(trajectory, Float.self, within: 1e-3) }

    private func follow<Scalar: NetworkScalar>(
        _ trajectory: Trajectory, _: Scalar.Type, within tolerance: Double
    ) throws {
        let layout = try Network<Scalar>(trajectory.model).parameterLayout
        let start = try Parameters<Scalar>(
            layout: layout,
            named: trajectory.initialWeights.mapValues {
                try Tensor(shape: TensorShape($0.shape), elements: $0.values.map { Scalar($0) })
            })
        let fields = trajectory.optimizer
        let trainer = try Trainer(
            model: trajectory.model, parameters: start,
            loss: LossOptions(lambda1: .value(trajectory.lambda1)),
            optimization: OptimizationOptions(
                fields.name, learningRate: fields.learningRate, momentum: fields.momentum,
                weightDecay: fields.weightDecay))
        for (number, expected) in trajectory.steps.enumerated() {
            let terms = try trainer.step(trajectory.batch(number))
            #expect(difference(terms.loss, expected.loss) < tolerance, "step \(number)")
            #expect(difference(terms.crossEntropy, expected.crossEntropy) < tolerance, "step \(number)")
            #expect(difference(try #require(terms.penalty), expected.penalty) < tolerance, "step \(number)")
        }
        for entry in layout.entries {
            let expected = try #require(trajectory.finalWeights[entry.name]).values
            let scale = expected.map(\.magnitude).max() ?? 0
            for (value, expected) in zip(trainer.parameters.values(of: entry), expected) {
                #expect((Double(value) - expected).magnitude <= tolerance * scale, "\(entry.name)")
            }
        }
    }

    private func difference(_ value: Double, _ expected: Double) -> Double {
        (value - expected).magnitude / expected.magnitude
    }
}

@Suite("Optimiser options")
struct OptimizerOptionsTests {
    @Test(
        "an option out of range is refused by name",
        arguments: [
            (OptimizationOptions(learningRate: -1), "learningRate"),
            (OptimizationOptions(learningRate: .nan), "learningRate"),
            (OptimizationOptions(.sgd, momentum: 1), "momentum"),
            (OptimizationOptions(.adam, momentum: 0.9), "momentum"),
            (OptimizationOptions(weightDecay: -0.1), "weightDecay"),
        ])
    func invalidOption(options: OptimizationOptions, name: String) throws {
        let model = BuiltInModel.mlp.description(
            input: try ImageShape(channels: 1, height: 2, width: 2), classCount: 2)
        let error = #expect(throws: TrainingError.self) {
            try Trainer<Float>(model: model, loss: LossOptions(lambda1: 0), optimization: options)
        }
        #expect(error?.code == .invalidOption)
        #expect(error?.place == .option(OptionName(name)))
    }

    @Test("a λ1 below 0 is refused", arguments: [-1, .nan, .infinity])
    func lambda1(lambda1: Double) throws {
        let model = BuiltInModel.mlp.description(
            input: try ImageShape(channels: 1, height: 2, width: 2), classCount: 2)
        let error = #expect(throws: TrainingError.self) {
            try Trainer<Float>(model: model, loss: LossOptions(lambda1: .value(lambda1)))
        }
        #expect(error?.place == .option(OptionName("lambda1")))
    }
}
