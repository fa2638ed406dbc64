import Foundation
import RRExplanation
import RRFormats
import RRNetworks
import RRTensor
import RRTraining
import TestSupport
import Testing

/// 500 steps of an optimiser with a schedule on one linear layer, from PyTorch.
struct OptimizerReference: Decodable {
    struct Case: Decodable, CustomTestStringConvertible {
        struct Point: Decodable {
            let step: Int
            let rate: Double
            let momentum: Double
            let loss: Double
            let weights: [Double]
        }

        let name: OptimizationOptions.Optimizer
        let testDescription: String
        let rate: Double
        let momentum: Double?
        let nesterov: Bool?
        let weightDecay: Double?
        let schedule: ScheduleOptions.Kind?
        let epochs: Int?
        let factor: Double?
        let warmup: Int?
        let clip: Double?
        let labelSmoothing: Double?
        let classWeights: [Double]?
        let points: [Point]

        private enum CodingKeys: String, CodingKey {
            case name, momentum, nesterov, schedule, epochs, factor, warmup, clip, points
            case testDescription = "case"
            case rate = "lr"
            case weightDecay = "weight_decay"
            case labelSmoothing = "label_smoothing"
            case classWeights = "class_weights"
        }

        var optimizer: OptimizationOptions {
            OptimizationOptions(
                name, learningRate: rate, momentum: momentum ?? 0, isNesterov: nesterov ?? false,
                weightDecay: weightDecay ?? 0)
        }
    }

    let steps: Int
    let stepsPerEpoch: Int
    let images: [Float]
    let labels: [Int64]
    let start: [Double]
    let cases: [Case]

    private enum CodingKeys: String, CodingKey {
        case steps, images, labels, start, cases
        case stepsPerEpoch = "steps_per_epoch"
    }

    static let shared: OptimizerReference? = FileManager.default.contents(
        atPath: Fixtures.path("reference/optimizers.json")
    ).flatMap { try? JSONDecoder().decode(OptimizerReference.self, from: $0) }
}

@Suite("Optimisers and schedules against PyTorch's")
struct OptimizerReferenceTests {
    @Test("every case is there")
    func cases() {
        #expect(OptimizerReference.shared?.cases.count == 19)
        #expect(OptimizerReference.shared?.cases.allSatisfy { $0.points.count == 6 } == true)
    }

    @Test(
        "rates, losses and weights agree to 1e-9 over 500 steps",
        arguments: OptimizerReference.shared?.cases ?? [])
    func follows(expected: OptimizerReference.Case) throws {
        let reference = try #require(OptimizerReference.shared)
        let input = try ImageShape(channels: 1, height: 2, width: 3)
        let model = ModelDescription(
            input: input, classCount: 3, layers: [.flatten, .linear(.init(out: 3, bias: false))])
        let start = try Parameters<Double>(
            layout: Network<Double>(model).parameterLayout,
            named: ["1.weight": Tensor(shape: TensorShape([3, 6]), elements: reference.start)])
        var optimization = expected.optimizer
        optimization.schedule = ScheduleOptions(
            expected.schedule ?? .constant, stepEpochs: expected.epochs, factor: expected.factor ?? 0.1,
            warmupSteps: expected.warmup ?? 0)
        optimization.largestNorm = expected.clip
        let length = TrainingLength(stepsPerEpoch: reference.stepsPerEpoch, stepCount: reference.steps)
        let schedule = LearningRateSchedule(optimization, length: length)
        let trainer = try Trainer(
            model: model, parameters: start,
            loss: LossOptions(
                lambda1: 0, classWeights: expected.classWeights.map { .fixed($0) } ?? .equal,
                labelSmoothing: expected.labelSmoothing ?? 0),
            optimization: optimization, length: length)
        let batch = try LabelledBatch(
            imageShape: input, images: reference.images, labels: reference.labels)
        var points = expected.points[...]
        for step in 0..<reference.steps {
            let rate = trainer.learningRate
            let terms = try trainer.step(batch)
            guard let point = points.first, point.step == step else { continue }
            points.removeFirst()
            #expect((rate - point.rate).magnitude <= 1e-12 * expected.rate, "step \(step)")
            if let momentum = schedule.rates(step: step).momentum {
                #expect((momentum - point.momentum).magnitude < 1e-12, "step \(step)")
            } else {
                #expect(expected.schedule != .oneCycle)
            }
            #expect((terms.loss - point.loss).magnitude < 1e-9 * point.loss, "step \(step)")
            for (weight, other) in zip(trainer.parameters.values, point.weights) {
                #expect((weight - other).magnitude < 1e-9 * max(1, other.magnitude), "step \(step)")
            }
        }
        #expect(points.isEmpty)
    }

    @Test(
        "an option out of range, or that does not go with another, is refused by name",
        arguments: [
            OptionChange("stepEpochs", { $0.optimization.schedule = ScheduleOptions(.step) }),
            OptionChange(
                "stepEpochs", { $0.optimization.schedule = ScheduleOptions(.cosine, stepEpochs: 3) }),
            OptionChange("stepEpochs", { $0.optimization.schedule = ScheduleOptions(.step, stepEpochs: 0) }),
            OptionChange(
                "factor", { $0.optimization.schedule = ScheduleOptions(.step, stepEpochs: 3, factor: 0) }),
            OptionChange("warmupSteps", { $0.optimization.schedule = ScheduleOptions(warmupSteps: -1) }),
            OptionChange(
                "warmupSteps", { $0.optimization.schedule = ScheduleOptions(.oneCycle, warmupSteps: 5) }),
            OptionChange("isNesterov", { $0.optimization = OptimizationOptions(.sgd, isNesterov: true) }),
            OptionChange("largestNorm", { $0.optimization.largestNorm = 0 }),
            OptionChange("largestNorm", { $0.optimization.largestNorm = .nan }),
            OptionChange("labelSmoothing", { $0.loss.labelSmoothing = 1.1 }),
            OptionChange("lambda1WarmupSteps", { $0.loss.lambda1WarmupSteps = -1 }),
            OptionChange("classWeights", { $0.loss.classWeights = .fixed([1, 2, 3]) }),
            OptionChange("classWeights", { $0.loss.classWeights = .fixed([1, -1]) }),
            OptionChange("classWeights", { $0.loss.classWeights = .fixed([0, 0]) }),
            OptionChange("patience", { $0.patience = 2 }),
            OptionChange("patience", { ($0.patience, $0.validation) = (0, "all") }),
            OptionChange("frozenLayers", { $0.optimization.frozenLayers = ["7"] }),
            OptionChange("frozenLayers", { $0.optimization.frozenLayers = ["1", "3", "5"] }),
        ])
    func refusal(change: OptionChange) throws {
        let shades = try TwoShades()
        var options = shades.options
        change.apply(&options)
        let error = #expect(throws: TrainingError.self) { try shades.train(options) }
        #expect(error?.code == .invalidOption)
        #expect(error?.place == .option(OptionName(change.name)))
        #expect(try shades.folder.names() == ["d.h5"])
    }
}
