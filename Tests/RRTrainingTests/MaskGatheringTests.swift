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

@Suite("Masks from the pass that computes the loss")
struct MaskGatheringTests {
    private func options(_ shades: TwoShades, _ selection: MaskSelection) -> TrainingOptions {
        var options = shades.options
        options.precision = .double
        options.batchSize = 7
        options.epochs = 1
        options.collection = CollectionOptions(selection: selection, output: shades.folder.path("m.h5"))
        return options
    }

    @Test(
        "under shuffling each sample's mask is that of its gradient in its own step, at its own row",
        arguments: [MaskSelection.top(count: 3), .threshold(0.5)], [0.0, 1])
    func alignment(selection: MaskSelection, lambda1: Double) throws {
        let shades = try TwoShades()
        var options = options(shades, selection)
        options.lambda1 = .value(lambda1)
        let summary = try shades.train(options)
        let masks = try MaskSet(path: shades.folder.path("m.h5"), for: shades.dataset)
        #expect(summary.collectedMasks?.sampleCount == 48 && masks.annotatedCount == 48)

        // The same steps by hand: before each, the gradients of its batch by another way.
        let trainer = try Trainer<Double>(
            model: options.model, lambda1: lambda1, optimizer: options.optimizer)
        let explainer = InputGradients(network: trainer.network)
        let stream = try BatchStream(
            dataset: shades.dataset, masks: shades.masks,
            options: StreamOptions(batchSize: 7, shuffle: true, seed: 0))
        while let batch = try stream.next() {
            let labelled = try LabelledBatch(
                imageShape: batch.imageShape, images: batch.images, labels: batch.labels,
                masks: batch.masks)
            let gradients = try explainer.compute(labelled, at: trainer.parameters).gradients
            for (position, index) in batch.indices.enumerated() {
                let magnitudes = gradients[position * 16..<position * 16 + 16].map(\.magnitude)
                let bound =
                    switch selection {
                    case .top(let count): magnitudes.sorted(by: >)[count - 1]
                    default: 0.5 * (magnitudes.max() ?? 0)
                    }
                let expected = magnitudes.map { selection == .threshold(0.5) ? $0 > bound : $0 >= bound }
                #expect((0..<16).map { masks.bits[masks.rows[Int(index)], $0] } == expected, "\(index)")
            }
            _ = try trainer.step(labelled)
        }
    }

    @Test("gathering changes no bit of the weights, dropout or not")
    func weights() throws {
        let shades = try TwoShades()
        var options = options(shades, .top(count: 2))
        options.epochs = 2
        options.precision = .float
        options.model = ModelDescription(
            input: shades.dataset.imageShape, classCount: 2,
            layers: [.flatten, .linear(.init(out: 6)), .gelu(), .dropout(), .linear(.init(out: 2))])
        _ = try shades.train(options)
        options.collection = nil
        _ = try shades.train(options, output: "plain")
        #expect(
            try FileBytes.read(shades.folder.path("run/weights.safetensors"))
                == FileBytes.read(shades.folder.path("plain/weights.safetensors")))
    }

    @Test("a run that is resumed in the last epoch gathers the masks of all samples of that epoch")
    func resumed() throws {
        struct Stop: Error {}
        let shades = try TwoShades()
        var options = options(shades, .top(count: 2))
        options.epochs = 2
        _ = try shades.train(options, output: "whole")
        let expected = try MaskSet(path: shades.folder.path("m.h5"), for: shades.dataset)
        try FileManager.default.removeItem(atPath: shades.folder.path("m.h5"))
        let loop = try TrainingLoop(dataset: shades.dataset, masks: shades.masks, options: options)
        var storage = RunStorage(output: shades.folder.path("run"), checkpointSeconds: 0)
        #expect(throws: Stop.self) { try loop.run(storage) { if $0.step == 10 { throw Stop() } } }
        storage.resumes = true
        _ = try loop.run(storage) { _ in }
        let masks = try MaskSet(path: shades.folder.path("m.h5"), for: shades.dataset)
        #expect(masks.bits == expected.bits && masks.rows == expected.rows)
    }

    @Test("what would give masks to other pixels or to some samples only is refused")
    func unsuitable() throws {
        let shades = try TwoShades()
        var augmented = options(shades, .top(count: 2))
        augmented.augmentation = try Augmentation("hflip")
        var drawn = options(shades, .top(count: 2))
        drawn.annotatedFraction = 0.5
        for options in [augmented, drawn] {
            let error = #expect(throws: TrainingError.self) { try shades.train(options) }
            #expect(error?.code == .invalidOption && error?.location == "--collect-masks")
        }
    }

    @Test(
        "masks need a place that will be there at the end", arguments: ["none/m.h5", "run/m.h5", "run", "."])
    func place(name: String) throws {
        let shades = try TwoShades()
        var options = options(shades, .top(count: 2))
        options.collection?.output = shades.folder.path(name)
        for isThere in [false, true] {
            let before = try shades.folder.names()
            let error = #expect(throws: FormatError.self) { try shades.train(options) }
            #expect(error?.code == .cannotWrite, "\(error.debugDescription)")
            #expect(try shades.folder.names() == before)
            if !isThere {
                var plain = options
                plain.collection = nil
                _ = try shades.train(plain)
            }
        }
    }

    @Test("--resume replaces the masks of the run that it goes on with, and no other file")
    func foreignFile() throws {
        struct Stop: Error {}
        let shades = try TwoShades()
        var options = options(shades, .top(count: 2))
        options.epochs = 2
        let loop = try TrainingLoop(dataset: shades.dataset, masks: shades.masks, options: options)
        let storage = RunStorage(output: shades.folder.path("run"), resumes: true)
        #expect(throws: Stop.self) { try loop.run(storage) { if $0.step == 10 { throw Stop() } } }
        try shades.folder.write([1], to: "m.h5")
        _ = try loop.run(storage) { _ in }
        #expect(try MaskSet(path: shades.folder.path("m.h5"), for: shades.dataset).annotatedCount == 48)
        try shades.folder.write([1], to: "m.h5")
        let fresh = RunStorage(output: shades.folder.path("another"), resumes: true)
        let error = #expect(throws: FormatError.self) { try loop.run(fresh) { _ in } }
        #expect(error?.code == .outputExists)
        #expect(try FileBytes.read(shades.folder.path("m.h5")) == [1])
    }

    @Test("an output that exists is refused before training")
    func exists() throws {
        let shades = try TwoShades()
        try shades.folder.write([1], to: "m.h5")
        let error = #expect(throws: FormatError.self) {
            try TrainingLoop(
                dataset: shades.dataset, masks: shades.masks, options: options(shades, .top(count: 2))
            ).run(output: shades.folder.path("run"), force: false) { _ in }
        }
        #expect(error?.code == .outputExists)
        #expect(try shades.folder.names() == ["d.h5", "m.h5"])
    }
}

@Suite("What training may have beside a loss and an optimiser")
struct TrainingRefinementsTests {
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
        options.optimizer.weightDecay = 0.1
        options.optimizer.learningRate = 0
        options.epochs = 1
        _ = try shades.train(options, output: "start")
        options.optimizer.learningRate = 0.01
        options.frozenLayers = ["1", "5.bias"]
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
        options.lambda1 = .value(2)
        options.lambda1WarmupSteps = 4
        options.epochs = 1
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
        options.epochs = 40
        // A rate that soon makes it worse.
        options.optimizer = OptimizerOptions(.sgd, learningRate: 3)
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
            batchSize: options.batchSize)
        #expect(evaluation.crossEntropy == best.value)
    }

    @Test("automatic class weights are those that make every class weigh the same")
    func classWeights() throws {
        let shades = try TwoShades()
        var options = shades.options
        options.epochs = 1
        // 24 samples of each of two classes, and none of the third.
        options.model = BuiltInModel.mlp.description(input: shades.dataset.imageShape, classCount: 3)
        options.classWeights = .automatic
        _ = try shades.train(options)
        let configuration = try JSONValue(
            parsing: FileBytes.read(shades.folder.path("run/config.json")))
        #expect(
            configuration["options"]?["class_weights"]?.arrayValue?.compactMap(\.doubleValue) == [
                2.0 / 3, 2.0 / 3, 1,
            ])
    }
}
