import Foundation
import RRExplanation
import RRNetworks
import RRTensor
import RRTraining
import TestSupport
import Testing

/// Thirty training steps with each attribution and target on ten networks, by PyTorch's hooks and double backward.
struct AttributedTraining: Decodable {
    struct Case: Decodable, Sendable, CustomTestStringConvertible {
        let network: String
        let attribution: String
        let target: PenaltyTarget
        let lambda1: Double
        /// Loss and R of each step.
        let steps: [[Double]]

        var testDescription: String { "\(attribution) of \(network), \(target.rawValue)" }
    }

    /// A network of loss-*.json.
    struct Start: Decodable, Sendable {
        let model: ModelDescription
        let images: [Float]
        let labels: [Int64]
        let masks: [UInt8]
        let weights: [String: Trajectory.Weight]
    }

    let seed: UInt64
    let learningRate: Double
    let cases: [Case]

    private enum CodingKeys: String, CodingKey {
        case seed, cases
        case learningRate = "learning_rate"
    }

    static let shared: AttributedTraining? = decoded("attributions")

    static func decoded<Value: Decodable>(_ name: String) -> Value? {
        FileManager.default.contents(atPath: Fixtures.path("reference/\(name).json"))
            .flatMap { try? JSONDecoder().decode(Value.self, from: $0) }
    }
}

@Suite("Training with each attribution against PyTorch's hooks")
struct AttributionTrajectoryTests {
    static let cases = AttributedTraining.shared?.cases ?? []

    @Test("every attribution and target is there, on ten networks")
    func casesAreThere() {
        let methods = ["input-times-gradient", "feature-gradient", "gradcam"]
        #expect(Set(Self.cases.map(\.network)).count == 11)
        for (index, method) in methods.enumerated() {
            let own = Self.cases.filter { $0.attribution.hasPrefix(method) }
            #expect(own.count == (index == 0 ? 11 : 10) * PenaltyTarget.allCases.count)
        }
        #expect(Self.cases.allSatisfy { $0.steps.count == 30 })
    }

    @Test("30 losses and penalties agree to 1e-9 in double", arguments: cases)
    func double(reference: AttributedTraining.Case) throws {
        try follow(reference, Double.self, steps: 30, within: 1e-9)
    }

    @Test(
        "the first steps agree to 1e-3 in float", arguments: cases.filter { $0.target == .sumLogProbability })
    func float(reference: AttributedTraining.Case) throws {
        try follow(reference, Float.self, steps: 3, within: 1e-3)
    }

    private func follow<Scalar: NetworkScalar>(
        _ reference: AttributedTraining.Case, _: Scalar.Type, steps: Int, within tolerance: Double
    ) throws {
        let training = try #require(AttributedTraining.shared)
        let start: AttributedTraining.Start = try #require(
            AttributedTraining.decoded("loss-\(reference.network)"))
        let parameters = try Parameters<Scalar>(
            layout: Network<Scalar>(start.model).parameterLayout,
            named: start.weights.mapValues {
                try Tensor(shape: TensorShape($0.shape), elements: $0.values.map { Scalar($0) })
            })
        let trainer = try Trainer(
            model: start.model, parameters: parameters,
            loss: LossOptions(
                lambda1: .value(reference.lambda1),
                attribution: #require(AttributionOptions(reference.attribution)),
                penaltyTarget: reference.target),
            optimization: OptimizationOptions(.adam, learningRate: training.learningRate), seed: training.seed
        )
        let batch = try LabelledBatch(
            imageShape: start.model.input, images: start.images, labels: start.labels, masks: start.masks)
        for (number, expected) in reference.steps.prefix(steps).enumerated() {
            let terms = try trainer.step(batch)
            #expect((terms.loss - expected[0]).magnitude <= tolerance * expected[0], "step \(number)")
            // Near certainty PyTorch's gradient of log p has lost its digits, where R has left the loss.
            let scale = max(expected[1], expected[0] / reference.lambda1)
            #expect(
                (try #require(terms.penalty) - expected[1]).magnitude <= tolerance * scale, "step \(number)")
        }
    }
}
