import Foundation
import RRDatasets
import RRExplanation
import RRFormats
import RRNetworks
import RRSchemas
import RRStreaming
import RRTensor
import RRTraining
import TestSupport
import Testing

@Suite("What training may have beside a loss and an optimiser")
struct TrainingOptionsTests {
    private func tensors(_ shades: TwoShades, _ name: String) throws -> [String: SafeTensor] {
        let tensors = try SafeTensorsFile.read(shades.folder.path(name))
        return Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0) })
    }

    private func lines(_ shades: TwoShades) throws -> [JSONValue] {
        try String(decoding: FileBytes.read(shades.folder.path("run/metrics.jsonl")), as: UTF8.self)
            .split(separator: "\n").map { try JSONValue(parsing: String($0)) }
    }

    @Test("frozen layers keep every bit, under weight decay too, and the others learn")
    func freeze() throws {
        let shades = try TwoShades()
        var options = shades.options
        options.optimization.weightDecay = 0.1
        options.optimization.learningRate = 0
        options.stream.epochs = 1
        _ = try shades.train(options, output: "start")
        options.optimization.learningRate = 0.01
        options.optimization.frozenLayers = ["1", "5.bias"]
        _ = try shades.train(options)
        let (before, after) = (
            try tensors(shades, "start/weights.safetensors"), try tensors(shades, "run/weights.safetensors")
        )
        let changed = after.keys.filter { before[$0] != after[$0] }.sorted()
        #expect(changed == ["3.bias", "3.weight", "5.weight"])
    }

    @Test("λ1 rises in a straight line from 0, and the first step is plain")
    func warmup() throws {
        let shades = try TwoShades()
        var options = shades.options
        options.loss.lambda1 = .value(2)
        options.loss.lambda1WarmupSteps = 4
        options.stream.epochs = 1
        _ = try shades.train(options)
        let steps = try lines(shades).filter { $0["kind"] == nil }
        #expect(steps.map { $0["lambda1"]?.doubleValue } == [0, 0.5, 1, 1.5, 2, 2])
        #expect(steps[0]["penalty"] == .null && steps[1]["penalty"] != .null)
    }

    @Test("training stops when the validation gets no better, and the best epoch's weights are kept")
    func patience() throws {
        let shades = try TwoShades()
        var options = shades.options
        options.validation = "all"
        options.bestMetric = .crossEntropy
        options.patience = 2
        options.stream.epochs = 40
        // A rate that soon makes it worse.
        options.optimization = OptimizationOptions(.sgd, learningRate: 3)
        let summary = try shades.train(options)
        let best = try #require(summary.best)
        #expect(summary.epochCount == best.epoch + 3 && summary.epochCount < 40)
        let figures = try lines(shades).compactMap { $0["validation"]?["cross_entropy"]?.doubleValue }
        #expect(figures.count == summary.epochCount)
        #expect(figures.min() == best.value && figures[best.epoch] == best.value)
        let network = try Network<Float>(options.model)
        let run = try Run(
            modelPath: shades.folder.path("run/model.json"),
            weightsPath: shades.folder.path("run/best.safetensors"))
        let evaluation = try Evaluation(
            network: network, parameters: run.parameters(of: network), dataset: shades.dataset, masks: nil,
            batchSize: options.stream.batchSize)
        #expect(evaluation.crossEntropy == best.value)
    }

    @Test("automatic class weights are those that make every class weigh the same")
    func classWeights() throws {
        let shades = try TwoShades()
        var options = shades.options
        options.stream.epochs = 1
        // 24 samples of each of two classes, and none of the third.
        options.model = BuiltInModel.mlp.description(input: shades.dataset.imageShape, classCount: 3)
        options.loss.classWeights = .automatic
        _ = try shades.train(options)
        let configuration = try JSONValue(
            parsing: FileBytes.read(shades.folder.path("run/config.json")))
        #expect(
            configuration["options"]?["class_weights"]?.arrayValue?.compactMap(\.doubleValue) == [
                2.0 / 3, 2.0 / 3, 1,
            ])
    }

    @Test("of equal epochs the first is the best", arguments: ValidationMetric.allCases)
    func equalEpochs(metric: ValidationMetric) throws {
        let shades = try TwoShades()
        var options = shades.options
        options.validation = "all"
        options.bestMetric = metric
        options.patience = 2
        options.stream.epochs = 9
        options.optimization.learningRate = 0
        let summary = try shades.train(options)
        #expect(summary.best?.epoch == 0 && summary.epochCount == 3)
    }

    @Test("the best epoch may be that of the worst group, where there are groups")
    func worstGroup() throws {
        let shades = try TwoShades()
        var options = shades.options
        options.validation = "all"
        options.bestMetric = .worstGroup
        options.stream.balance = .groups
        options.optimization.learningRate = 2e-3
        let summary = try shades.train(options)
        let run = try Run(path: shades.folder.path("run"))
        let epochs = try #require(try run.metrics()).epochs
        let values = try epochs.map { try #require($0.validation?.worstGroupAccuracy) }
        #expect(values.count == 5 && Set(values).count > 1)
        #expect(
            summary.best?.value == values.max()
                && summary.best?.epoch == values.firstIndex(of: values.max() ?? 0))
        let configuration = try JSONValue(parsing: FileBytes.read(shades.folder.path("run/config.json")))
        #expect(configuration["options"]?["balance"] == "groups")
        #expect(configuration["options"]?["best_metric"] == "worst-group")

        let ungrouped = try TwoShades(isGrouped: false)
        let error = #expect(throws: TrainingError.self) { try ungrouped.train(options) }
        #expect(error?.place == .option(OptionName("bestMetric")))
    }

    @Test(
        "balance and other draws do not go together",
        arguments: [
            OptionChange("balance", { $0.stream.annotatedFraction = 0.5 }),
            OptionChange("balance", { $0.stream.isShuffled = false }),
            OptionChange(
                "collection", { $0.collection = CollectionOptions(selection: .top(count: 1), output: "m.h5") }
            ),
        ])
    func balance(change: OptionChange) throws {
        let shades = try TwoShades()
        var options = shades.options
        options.stream.balance = .equal
        change.apply(&options)
        let error = #expect(throws: TrainingError.self) { try shades.train(options) }
        #expect(error?.code == .invalidOption && error?.place == .option(OptionName(change.name)))
    }
}
