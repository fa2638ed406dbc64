import Foundation
import RRDatasets
import RRExplanation
import RRFormats
import RRNetworks
import RRTensor
import RRTraining
import TestSupport
import Testing

/// Five hundred steps of group DRO, by the code that was published with it.
private struct RobustTraining: Decodable {
    let stepSize: Double
    let lambda1: Double
    let learningRate: Double
    /// Of each sample of guidance.json.
    let groups: [Int]
    /// The samples of each batch.
    let rows: [[Int]]
    /// The cross-entropy and R of each step.
    let steps: [[Double]]
    let groupWeights: [Double]
    let finalWeights: [String: [Double]]

    private enum CodingKeys: String, CodingKey {
        case lambda1, groups, rows, steps
        case stepSize = "step_size"
        case learningRate = "learning_rate"
        case groupWeights = "group_weights"
        case finalWeights = "final_weights"
    }
}

@Suite("What groups weigh in training")
struct GroupWeightingTests {
    @Test("500 losses of group DRO, its weights and the network's agree with the published code to 1e-9")
    func reference() throws {
        let data = try #require(
            FileManager.default.contents(atPath: Fixtures.path("reference/group-robust.json")))
        let reference = try JSONDecoder().decode(RobustTraining.self, from: data)
        let samples = try #require(GuidedTraining.shared)
        let layout = try Network<Double>(samples.model).parameterLayout
        let start = try Parameters<Double>(
            layout: layout,
            named: samples.initialWeights.mapValues {
                try Tensor(shape: TensorShape($0.shape), elements: $0.values)
            })
        var loss = LossOptions(lambda1: .value(reference.lambda1))
        loss.groupWeighting = .robust(GroupRobustness(groupCount: 4, stepSize: reference.stepSize))
        let trainer = try Trainer(
            model: samples.model, parameters: start, loss: loss,
            optimization: OptimizationOptions(.adam, learningRate: reference.learningRate), threadCount: 2)
        let size = samples.model.input.elementCount
        #expect(reference.steps.count == 500)
        for (number, (rows, expected)) in zip(reference.rows, reference.steps).enumerated() {
            func pick<Element>(_ elements: [Element]) -> [Element] {
                rows.flatMap { elements[$0 * size..<($0 + 1) * size] }
            }
            var batch = try LabelledBatch(
                imageShape: samples.model.input, images: pick(samples.images),
                labels: rows.map { samples.labels[$0] }, masks: pick(samples.masks))
            batch.groups = rows.map { reference.groups[$0] }
            let terms = try trainer.step(batch)
            for (value, expected) in zip([terms.crossEntropy, terms.penalty ?? .nan], expected) {
                #expect((value - expected).magnitude <= 1e-9 * max(1, expected), "step \(number)")
            }
        }
        for (weight, expected) in zip(trainer.groupWeights, reference.groupWeights) {
            #expect((weight - expected).magnitude <= 1e-9)
        }
        for entry in layout.entries {
            let expected = try #require(reference.finalWeights[entry.name])
            let scale = expected.map(\.magnitude).max() ?? 0
            for (value, expected) in zip(trainer.parameters.values(of: entry), expected) {
                #expect((value - expected).magnitude <= 1e-9 * scale, "\(entry.name)")
            }
        }
    }

    @Test("groups that are the classes weigh what balanced classes do")
    func balanced() throws {
        let shades = try TwoShades(groupedByLabel: true)
        func weights(_ classWeights: ClassWeights) throws -> [Float] {
            var options = shades.options
            options.loss.classWeights = classWeights
            _ = try shades.train(options)
            let run = try Run(path: shades.folder.path("run"))
            return try run.parameters(of: Network<Float>(run.model)).values
        }
        let (byClass, byGroup) = (try weights(.automatic), try weights(.groups))
        #expect(zip(byClass, byGroup).allSatisfy { ($0 - $1).magnitude < 1e-5 })
        #expect(try byClass != weights(.fixed([3, 1])))
    }

    @Test("a robust run that is stopped goes on with its groups' weights", arguments: [1, 11])
    func resumed(step: Int) throws {
        struct Stop: Error {}
        let shades = try TwoShades()
        var options = shades.options
        options.loss.groupStepSize = 0.5
        func loop() throws -> TrainingLoop {
            try TrainingLoop(dataset: shades.dataset, masks: shades.masks, options: options)
        }
        func bytes(_ output: String) throws -> [UInt8] {
            try FileBytes.read(shades.folder.path(output) + "/weights.safetensors")
        }
        _ = try loop().run(output: shades.folder.path("whole")) { _ in }
        let output = shades.folder.path("run")
        #expect(throws: Stop.self) {
            try loop().run(RunStorage(output: output, checkpointSeconds: 0)) {
                if $0.step == step { throw Stop() }
            }
        }
        _ = try loop().run(RunStorage(output: output, resumes: true)) { _ in }
        #expect(try bytes("run") == bytes("whole"))
        options.loss.groupStepSize = nil
        _ = try loop().run(output: shades.folder.path("plain")) { _ in }
        #expect(try bytes("plain") != bytes("whole"))
    }

    @Test("what cannot be weighed is refused")
    func refusals() throws {
        for (isGrouped, word, change) in [
            (false, "needs groups", { $0.groupStepSize = 0.1 }),
            (false, "needs groups", { $0.classWeights = .groups }),
            (true, "above 0", { $0.groupStepSize = 0 }), (true, "above 0", { $0.groupStepSize = .infinity }),
            (true, "give one of them", { ($0.groupStepSize, $0.classWeights) = (0.1, .groups) }),
        ] as [(Bool, String, (inout LossOptions) -> Void)] {
            let shades = try TwoShades(isGrouped: isGrouped)
            var options = shades.options
            change(&options.loss)
            let error = #expect(throws: TrainingError.self) { try shades.train(options) }
            #expect(error?.code == .invalidOption && error.map { "\($0)".contains(word) } == true, "\(word)")
        }
        let shades = try TwoShades()
        var loss = LossOptions(lambda1: 0)
        loss.groupWeighting = .fixed([1, 2])
        let trainer = try Trainer<Float>(model: shades.model, loss: loss)
        var batch = try LabelledBatch(
            imageShape: shades.dataset.imageShape, images: Array(repeating: 0.5, count: 16), labels: [0])
        for groups in [nil, [2], [0, 1]] {
            batch.groups = groups
            let error = #expect(throws: ExplanationError.self) { try trainer.step(batch) }
            #expect(error?.code == .batchMismatch)
        }
    }
}
