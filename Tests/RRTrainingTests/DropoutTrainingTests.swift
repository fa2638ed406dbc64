import RRDatasets
import RRExplanation
import RRFormats
import RRNetworks
import RRStreaming
import RRTensor
import RRTraining
import TestSupport
import Testing

@Suite("Training with dropout")
struct DropoutTrainingTests {
    @Test("zero masks, λ1 = 0 and no masks give the same weights bit for bit")
    func plainCrossEntropy() throws {
        let shades = try TwoShades()
        let zeros = try MaskSet(
            bits: MaskBits(rowCount: 2, elementsPerRow: 16),
            rows: (0..<TwoShades.sampleCount).map { $0 % 3 == 0 ? 0 : 1 },
            maskShape: shades.dataset.imageShape, datasetFingerprint: shades.dataset.fingerprint)
        func weights(_ masks: MaskSet?, lambda1: Double) throws -> [SafeTensor] {
            var options = try Self.options(shades)
            options.loss.lambda1 = .value(lambda1)
            return try Self.weights(shades, options, masks: masks)
        }
        let none = try weights(nil, lambda1: 0)
        #expect(try weights(shades.masks, lambda1: 0) == none)
        #expect(try weights(zeros, lambda1: 10) == none)
        #expect(try weights(shades.masks, lambda1: 10) != none)
    }

    @Test("the seed decides what is left out, the number of threads does not")
    func seed() throws {
        let shades = try TwoShades()
        var options = try Self.options(shades)
        options.stream.isShuffled = false
        options.threadCount = 1
        _ = try shades.train(options, output: "start")
        options.initialWeights = shades.folder.path("start/weights.safetensors")
        let first = try Self.weights(shades, options, masks: shades.masks)
        options.threadCount = 3
        #expect(try Self.weights(shades, options, masks: shades.masks) == first)
        options.stream.seed = 1
        #expect(try Self.weights(shades, options, masks: shades.masks) != first)
    }

    @Test("each step leaves out other elements")
    func steps() throws {
        let shades = try TwoShades()
        let stream = try BatchStream(
            dataset: shades.dataset, masks: nil,
            options: StreamOptions(
                batchSize: 8, isShuffled: true, seed: 0, epochs: 1, split: "all", dropsLast: false))
        let batch = try #require(try stream.next())
        func losses(layers: [LayerDescription]) throws -> [Double] {
            let trainer = try Trainer<Double>(
                model: ModelDescription(
                    input: shades.dataset.imageShape, classCount: 2,
                    layers: layers + [.linear(.init(out: 2))]),
                loss: LossOptions(lambda1: 0), optimization: OptimizationOptions(learningRate: 0))
            return try (0..<3).map { step in
                #expect(trainer.stepCount == step)
                return try trainer.step(batch).loss
            }
        }
        #expect(Set(try losses(layers: [.flatten, .dropout()])).count == 3)
        #expect(Set(try losses(layers: [.flatten])).count == 1)
    }

    @Test("a batch of the stream brings its samples' rows in the dataset")
    func rows() throws {
        let shades = try TwoShades()
        let stream = try BatchStream(
            dataset: shades.dataset, masks: nil,
            options: StreamOptions(
                batchSize: 8, isShuffled: true, seed: 0, epochs: 1, split: "all", dropsLast: false))
        let batch = try #require(try stream.next())
        #expect(try LabelledBatch(batch, nil).indices == batch.indices)
    }

    private static func options(_ shades: TwoShades) throws -> TrainingOptions {
        var options = shades.options
        options.model = ModelDescription(
            input: shades.dataset.imageShape, classCount: 2,
            layers: [
                .flatten, .dropout(probability: 0.2), .linear(.init(out: 6)), .gelu(), .dropout(),
                .linear(.init(out: 2)),
            ])
        options.stream.epochs = 2
        return options
    }

    private static func weights(
        _ shades: TwoShades, _ options: TrainingOptions, masks: MaskSet?
    ) throws -> [SafeTensor] {
        _ = try TrainingLoop(dataset: shades.dataset, masks: masks, options: options)
            .run(output: shades.folder.path("run"), force: true) { _ in }
        return try SafeTensorsFile.read(shades.folder.path("run/weights.safetensors"))
    }
}
