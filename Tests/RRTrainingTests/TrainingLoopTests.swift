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

@Suite("Training runs")
struct TrainingLoopTests {
    @Test(
        "a run learns, and its folder opens again as the model that it trained", arguments: Precision.allCases
    )
    func run(precision: Precision) throws {
        let shades = try TwoShades()
        var options = shades.options
        options.precision = precision
        options.validation = "all"
        var steps: [Int] = []
        let summary = try TrainingLoop(dataset: shades.dataset, masks: shades.masks, options: options)
            .run(output: shades.folder.path("run"), force: false) { steps.append($0.step) }
        #expect(steps == Array(1...30))
        #expect(summary.stepCount == 30)
        #expect(summary.lastEpoch.accuracy == 1)
        let run = try Run(path: shades.folder.path("run"))
        #expect(run.model == shades.model)
        #expect(run.precision == precision)
        let network = try Network<Double>(run.model)
        let evaluation = try Evaluation(
            network: network, parameters: run.parameters(of: network), dataset: shades.dataset,
            masks: shades.masks)
        #expect(evaluation.accuracy == 1)
        #expect(evaluation.sampleCount == 48)
        #expect(evaluation.confusion == [[24, 0], [0, 24]])
        #expect(evaluation.explanation?.unannotatedCount == 32)
        #expect(evaluation.explanation?.measuredCount == 16)
        #expect(evaluation.explanation?.gradientShare.maskedArea == 0.5)
        let tensors = try SafeTensorsFile.read(run.weightsPath)
        #expect(tensors.allSatisfy { $0.type == (precision == .double ? .float64 : .float32) })
        let lines = try String(
            contentsOf: URL(filePath: shades.folder.path("run/metrics.jsonl")), encoding: .utf8)
        let epochs = try lines.split(separator: "\n").map { try JSONValue(parsing: String($0)) }
            .filter { $0["kind"] == "epoch" }
        #expect(epochs.count == 5)
        let last = try #require(epochs.last?["validation"])
        #expect(last["accuracy"]?.doubleValue == 1)
        #expect((last["cross_entropy"]?.doubleValue ?? 0) > 0)
    }

    @Test("means and deviations of the training split are stored, and applied again by what uses the run")
    func normalization() throws {
        let shades = try TwoShades()
        var options = shades.options
        options.normalization = .automatic
        options.stream.epochs = 1
        _ = try shades.train(options)
        let run = try Run(path: shades.folder.path("run"))
        let normalization = try #require(run.normalization)
        var values: [Double] = []
        for index in 0..<TwoShades.sampleCount {
            let image = try shades.dataset.image(at: index).elements
            values += image.map(Double.init)
        }
        let mean = values.reduce(0, +) / Double(values.count)
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
        #expect((Double(normalization.means[0]) - mean).magnitude < 1e-6)
        #expect((Double(normalization.standardDeviations[0]) - variance.squareRoot()).magnitude < 1e-6)

        // The same numbers given by hand are the same run; without them it is another.
        options.normalization = .fixed(normalization)
        _ = try shades.train(options, output: "fixed")
        options.normalization = .none
        _ = try shades.train(options, output: "none")
        let weights = try ["run", "fixed", "none"].map {
            try SafeTensorsFile.read(shades.folder.path("\($0)/weights.safetensors"))
        }
        #expect(weights[0] == weights[1] && weights[0] != weights[2])
        let network = try Network<Float>(run.model)
        let parameters = try run.parameters(of: network)
        let scaled = try Evaluation(
            network: network, parameters: parameters, normalization: run.normalization,
            dataset: shades.dataset,
            masks: nil)
        let unscaled = try Evaluation(
            network: network, parameters: parameters, dataset: shades.dataset, masks: nil)
        #expect(scaled.crossEntropy != unscaled.crossEntropy)
    }

    @Test("a channel that is the same throughout keeps its scale, whatever the rounding of the sums")
    func constantChannel() throws {
        let folder = try TemporaryFolder()
        let writer = try DatasetWriter(
            path: folder.path("d.h5"), force: false, sampleCount: 1000,
            imageShape: try ImageShape(channels: 2, height: 5, width: 5), elementType: .uint8, color: "other",
            compression: .none)
        for index in 0..<1000 {
            let pixels = (0..<50).map { UInt8($0 < 25 ? 200 : $0 + index % 2) }
            try pixels.withUnsafeBytes {
                try writer.write(images: $0, rows: index..<index + 1, checksums: [CRC32.checksum(of: $0)])
            }
        }
        _ = try writer.complete(SampleTable(ids: (0..<1000).map(String.init)), provenance: [:])
        try writer.output.commit()
        let dataset = try Dataset(path: folder.path("d.h5"))
        let normalization = try InputNormalization(measuring: dataset, split: nil)
        #expect(normalization.standardDeviations[0] == 1)
        #expect((normalization.standardDeviations[1] - 0.0284).magnitude < 1e-3)
    }

    @Test("a normalisation that is none, or for other channels, is refused")
    func invalidNormalization() throws {
        for (means, deviations) in [([], []), ([1], [0]), ([1], [1, 1]), ([.nan], [1])]
            as [([Float], [Float])]
        {
            let error = #expect(throws: TrainingError.self) {
                try InputNormalization(means: means, standardDeviations: deviations)
            }
            #expect(error?.place == .option(OptionName("normalization")))
        }
        let shades = try TwoShades()
        var options = shades.options
        options.normalization = .fixed(try InputNormalization(means: [0, 0], standardDeviations: [1, 1]))
        let error = #expect(throws: TrainingError.self) { try shades.train(options) }
        #expect(error?.place == .option(OptionName("normalization")))
    }

    @Test("a model of very many classes is measured without their square")
    func manyClasses() throws {
        let shades = try TwoShades()
        let classCount = 2_000
        let network = try Network<Float>(
            ModelDescription(
                input: shades.dataset.imageShape, classCount: classCount,
                layers: [.flatten, .linear(.init(out: classCount))]))
        let evaluation = try Evaluation(
            network: network, parameters: network.initialParameters(seed: 0), dataset: shades.dataset,
            masks: nil)
        #expect(evaluation.confusion == nil)
        #expect(evaluation.perClass.map(\.sampleCount) == [24, 24])
    }

    @Test("the penalty moves the input gradient out of A")
    func penalty() throws {
        let shades = try TwoShades()
        func share(lambda1: Double) throws -> Double {
            var options = shades.options
            options.loss.lambda1 = .value(lambda1)
            options.stream.epochs = 20
            _ = try shades.train(options)
            let run = try Run(path: shades.folder.path("run"))
            let network = try Network<Float>(run.model)
            let evaluation = try Evaluation(
                network: network, parameters: run.parameters(of: network), dataset: shades.dataset,
                masks: shades.masks)
            return try #require(evaluation.explanation?.gradientShare.insideMask)
        }
        let plain = try share(lambda1: 0)
        let right = try share(lambda1: 1)
        #expect(plain > 0.3)
        #expect(right < plain / 3)
    }

    @Test("a loss that is no longer finite ends the run, and leaves no folder")
    func divergence() throws {
        let shades = try TwoShades()
        var options = shades.options
        options.optimization = OptimizationOptions(.sgd, learningRate: 1e30)
        let error = #expect(throws: TrainingError.self) { try shades.train(options) }
        #expect(error?.code == .diverged)
        #expect(try shades.folder.names() == ["d.h5"])
    }

    @Test("training from a run's weights goes on from them")
    func initialWeights() throws {
        let shades = try TwoShades()
        var options = shades.options
        _ = try shades.train(options, output: "first")
        options.initialWeights = shades.folder.path("first/weights.safetensors")
        options.optimization.learningRate = 0
        options.stream.epochs = 1
        _ = try shades.train(options, output: "second")
        #expect(
            try SafeTensorsFile.read(shades.folder.path("second/weights.safetensors"))
                == SafeTensorsFile.read(shades.folder.path("first/weights.safetensors")))
    }

    @Test("a dataset that cannot train the model is refused by what it lacks")
    func unsuitableDataset() throws {
        func message(_ shades: TwoShades, _ model: ModelDescription) -> String? {
            let error = #expect(throws: TrainingError.self) {
                try TrainingLoop(
                    dataset: shades.dataset, masks: nil,
                    options: TrainingOptions(model: model, loss: LossOptions(lambda1: .value(0))))
            }
            #expect(error?.code == .unsuitableDataset)
            return error?.message.description
        }
        let shades = try TwoShades()
        let wide = try ImageShape(channels: 1, height: 4, width: 5)
        #expect(
            message(shades, BuiltInModel.mlp.description(input: wide, classCount: 2))?.contains("(1, 4, 5)")
                == true)
        let one = BuiltInModel.mlp.description(input: shades.dataset.imageShape, classCount: 1)
        #expect(message(shades, one)?.contains("2 classes") == true)
        #expect(message(try TwoShades(isLabelled: false), shades.model)?.contains("labels") == true)
    }

    @Test("a last batch that is dropped and was the only one is an error, not an empty run")
    func noBatch() throws {
        let shades = try TwoShades()
        var options = shades.options
        options.stream.batchSize = 100
        options.stream.dropsLast = true
        let error = #expect(throws: TrainingError.self) { try shades.train(options) }
        #expect(error?.code == .unsuitableDataset)
        #expect(error?.message.contains("batchSize") == true)
    }
}
