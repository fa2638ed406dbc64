import Foundation
import RRExplanation
import RRNetworks
import RRStreaming
import RRTensor
import RRTraining
import TestSupport
import Testing

/// Thirty training steps with each guidance, with every step's loss and the final weights from PyTorch.
struct GuidedTraining: Decodable {
    struct Case: Decodable, Sendable, CustomTestStringConvertible {
        let name: String
        let guidance: String
        let target: PenaltyTarget?
        let lambda1: Double
        let reduction: PenaltyReduction
        let classWeights: [Double]?
        let labelSmoothing: Double?
        let range: [Float]?
        let moments: [Float]?
        let fill: CounterexampleOptions.Fill?
        let place: CounterexampleOptions.Place?
        let share: Double?
        let consistency: Double?
        let stepCount: Int?
        let radius: Double?
        let stepSize: Double?
        /// Loss, cross-entropy and R of each step, without R where there is none.
        let steps: [[Double?]]
        let finalWeights: [String: [Double]]

        var testDescription: String { name }

        private enum CodingKeys: String, CodingKey {
            case guidance, target, lambda1, reduction, range, moments, fill, place, share, consistency
            case radius, steps
            case name = "case"
            case classWeights = "class_weights"
            case labelSmoothing = "label_smoothing"
            case stepCount = "search_steps"
            case stepSize = "step_size"
            case finalWeights = "final_weights"
        }
    }

    let model: ModelDescription
    let seed: String
    let batchSize: Int
    let images: [Float]
    let counterexamples: [Float]
    let labels: [Int64]
    let masks: [UInt8]
    let orders: [[Int]]
    let initialWeights: [String: Trajectory.Weight]
    let cases: [Case]

    private enum CodingKeys: String, CodingKey {
        case model, seed, images, counterexamples, labels, masks, orders, cases
        case batchSize = "batch_size"
        case initialWeights = "initial_weights"
    }

    static let shared: GuidedTraining? = FileManager.default
        .contents(atPath: Fixtures.path("reference/guidance.json"))
        .flatMap { try? JSONDecoder().decode(GuidedTraining.self, from: $0) }

    func batch(_ number: Int) throws -> LabelledBatch {
        let (epoch, batch) = number.quotientAndRemainder(dividingBy: labels.count / batchSize)
        let rows = orders[epoch][batch * batchSize..<(batch + 1) * batchSize]
        let size = model.input.elementCount
        func pick<Element>(_ elements: [Element]) -> [Element] {
            rows.flatMap { elements[$0 * size..<($0 + 1) * size] }
        }
        return try LabelledBatch(
            imageShape: model.input, images: pick(images), labels: rows.map { labels[$0] },
            masks: pick(masks), counterexamples: pick(counterexamples),
            indices: rows.map(Int64.init), epoch: epoch)
    }
}

extension GuidedTraining.Case {
    var kind: Guidance? {
        switch guidance {
        case "rrr": return .rightReasons
        case "augment", "consistency":
            return .counterexamples(
                CounterexampleOptions(
                    fill: fill ?? .uniform, place: place ?? .beside, share: share ?? 1,
                    countsCrossEntropy: guidance == "augment", consistency: consistency ?? 0))
        case "input-gradient": return .inputGradient
        case "pgd":
            guard let stepCount, let radius, let stepSize else { return nil }
            return .adversarial(AdversaryOptions(stepCount: stepCount, radius: radius, stepSize: stepSize))
        default: return nil
        }
    }
}

@Suite("Training with each guidance against PyTorch's")
struct GuidanceTrajectoryTests {
    static let cases = GuidedTraining.shared?.cases ?? []

    @Test("every case is there")
    func casesAreThere() {
        #expect(Self.cases.count == 17)
        #expect(
            Set(Self.cases.map(\.guidance)) == ["augment", "consistency", "pgd", "input-gradient", "rrr"])
        #expect(Set(Self.cases.compactMap(\.fill)) == [.noise, .mean, .swap])
        #expect(Self.cases.allSatisfy { $0.steps.count == 30 && $0.kind != nil })
    }

    @Test("30 losses and the final weights agree to 1e-9 in double", arguments: cases)
    func double(reference: GuidedTraining.Case) throws {
        try follow(reference, Double.self, steps: 30, within: 1e-9)
    }

    @Test("the first steps agree to 1e-3 in float", arguments: cases)
    func float(reference: GuidedTraining.Case) throws {
        try follow(reference, Float.self, steps: 3, within: 1e-3)
    }

    @Test("random values have the range of normalised images")
    func normalized() throws {
        let reference = try #require(Self.cases.first { $0.range != nil })
        // (0 − 0.75) / 0.5 and (1 − 0.75) / 0.5 are the ends of the fixture's range.
        try follow(
            reference, Double.self, steps: 30, within: 1e-9,
            normalization: InputNormalization(means: [0.75], standardDeviations: [0.5]))
    }

    private func follow<Scalar: NetworkScalar>(
        _ reference: GuidedTraining.Case, _: Scalar.Type, steps: Int, within tolerance: Double,
        normalization: InputNormalization? = nil
    ) throws {
        let training = try #require(GuidedTraining.shared)
        let layout = try Network<Scalar>(training.model).parameterLayout
        let start = try Parameters<Scalar>(
            layout: layout,
            named: training.initialWeights.mapValues {
                try Tensor(shape: TensorShape($0.shape), elements: $0.values.map { Scalar($0) })
            })
        let trainer = try Trainer(
            model: training.model, parameters: start,
            loss: LossOptions(
                lambda1: .value(reference.lambda1), guidance: #require(reference.kind),
                penaltyTarget: reference.target ?? .sumLogProbability, penaltyReduction: reference.reduction,
                classWeights: reference.classWeights.map { .fixed($0) } ?? .equal,
                labelSmoothing: reference.labelSmoothing ?? 0,
                imageRanges: normalization == nil ? reference.range.map { [$0[0]...$0[1]] } : nil,
                imageMoments: reference.moments.map {
                    [ChannelMoments(mean: $0[0], standardDeviation: $0[1])]
                }),
            optimization: OptimizationOptions(.adam, learningRate: 0.02), normalization: normalization,
            seed: #require(UInt64(training.seed)))
        for (number, expected) in reference.steps.prefix(steps).enumerated() {
            let terms = try trainer.step(training.batch(number))
            for (value, expected) in zip([terms.loss, terms.crossEntropy, terms.penalty], expected) {
                guard let expected else {
                    #expect(value == nil)
                    continue
                }
                let value = try #require(value)
                #expect((value - expected).magnitude <= tolerance * expected.magnitude, "step \(number)")
            }
        }
        guard steps == reference.steps.count else { return }
        for entry in layout.entries {
            let expected = try #require(reference.finalWeights[entry.name])
            let scale = expected.map(\.magnitude).max() ?? 0
            for (value, expected) in zip(trainer.parameters.values(of: entry), expected) {
                #expect((Double(value) - expected).magnitude <= tolerance * scale, "\(entry.name)")
            }
        }
    }
}
