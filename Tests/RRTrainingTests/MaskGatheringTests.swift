import Foundation
import RRDatasets
import RRExplanation
import RRFormats
import RRNetworks
import RRPreparation
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
        options.stream.batchSize = 7
        options.stream.epochs = 1
        options.collection = CollectionOptions(selection: selection, output: shades.folder.path("m.h5"))
        return options
    }

    @Test(
        "under shuffling each sample's mask is that of its gradient in its own step, at its own row",
        arguments: [MaskSelection.top(count: 3), .threshold(0.5)], [0.0, 1])
    func alignment(selection: MaskSelection, lambda1: Double) throws {
        let shades = try TwoShades()
        var options = options(shades, selection)
        options.loss.lambda1 = .value(lambda1)
        let summary = try shades.train(options)
        let masks = try MaskSet(path: shades.folder.path("m.h5"), for: shades.dataset)
        #expect(summary.collectedMasks?.sampleCount == 48 && masks.annotatedCount == 48)

        // The same steps by hand: before each, the gradients of its batch by another way.
        let trainer = try Trainer<Double>(
            model: options.model, loss: LossOptions(lambda1: .value(lambda1)),
            optimization: options.optimization)
        let explainer = InputGradients(network: trainer.network)
        let stream = try BatchStream(
            dataset: shades.dataset, masks: shades.masks,
            options: StreamOptions(batchSize: 7, isShuffled: true, seed: 0))
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
        options.stream.epochs = 2
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
        options.stream.epochs = 2
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
        augmented.stream.augmentation = try Augmentation("hflip")
        var drawn = options(shades, .top(count: 2))
        drawn.stream.annotatedFraction = 0.5
        for options in [augmented, drawn] {
            let error = #expect(throws: TrainingError.self) { try shades.train(options) }
            #expect(error?.code == .invalidOption && error?.place == .option(OptionName("collection")))
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

    @Test(
        "a run and its masks appear together: where the masks cannot be written, the run goes on from its checkpoint"
    )
    func together() throws {
        let shades = try TwoShades()
        var options = options(shades, .top(count: 2))
        options.stream.epochs = 2
        let place = shades.folder.path("place")
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: false)
        options.collection?.output = place + "/m.h5"
        let loop = try TrainingLoop(dataset: shades.dataset, masks: shades.masks, options: options)
        let error = #expect(throws: FormatError.self) {
            try loop.run(output: shades.folder.path("run")) { progress in
                if progress.step == progress.stepCount { try FileManager.default.removeItem(atPath: place) }
            }
        }
        #expect(error?.code == .cannotWrite)
        #expect(try shades.folder.names() == ["d.h5", "run.unfinished"])
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: false)
        let storage = RunStorage(output: shades.folder.path("run"), resumes: true)
        #expect(try loop.run(storage) { _ in }.collectedMasks?.annotatedCount == 48)
        #expect(try shades.folder.names() == ["d.h5", "place", "run"])
        #expect(try loop.run(storage) { _ in }.wasDone)
        // Without the masks it is not what was asked for.
        FileTree.remove(place + "/m.h5")
        let missing = #expect(throws: FormatError.self) { try loop.run(storage) { _ in } }
        #expect(missing?.code == .notFound && missing?.path == place + "/m.h5")
    }

    @Test("resumes replaces the masks of the run that it goes on with, and no other file")
    func foreignFile() throws {
        struct Stop: Error {}
        let shades = try TwoShades()
        var options = options(shades, .top(count: 2))
        options.stream.epochs = 2
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
