import Foundation
import RRDatasets
import RRExplanation
import RRFormats
import RRNetworks
import RRSchemas
import RRPreparation
import RRStreaming
import RRTraining
import TestSupport
import Testing

@Suite("Making a run longer that is done")
struct LongerRunTests {
    private struct Stop: Error {}

    private func options(_ shades: TwoShades, epochs: Int) -> TrainingOptions {
        var options = shades.options
        options.model = ModelDescription(
            input: shades.dataset.imageShape, classCount: 2,
            layers: [
                .flatten, .linear(.init(out: 6)), .relu, .dropout(probability: 0.3), .linear(.init(out: 2)),
            ])
        options.loss.lambda1 = .automatic
        options.normalization = .automatic
        options.optimization = OptimizationOptions(.adam, learningRate: 0.02, weightDecay: 0.01)
        options.optimization.schedule = ScheduleOptions(.step, stepEpochs: 2)
        options.validation = "all"
        options.stream.epochs = epochs
        options.stream.batchSize = 7
        return options
    }

    /// Trains, or trains on, until all is done or a step is.
    private func train(
        _ shades: TwoShades, _ options: TrainingOptions, output: String = "run", stopAt step: Int? = nil
    ) throws -> TrainingSummary {
        try TrainingLoop(dataset: shades.dataset, masks: shades.masks, options: options).run(
            RunStorage(output: shades.folder.path(output), resumes: true, checkpointSeconds: 0)
        ) { if $0.step == step { throw Stop() } }
    }

    private func bytes(_ shades: TwoShades, _ name: String) throws -> [UInt8] {
        try FileBytes.read(shades.folder.path(name))
    }

    @Test(
        "it becomes the run that it would be with as many epochs from the first, also where it is stopped on the way",
        arguments: OptimizationOptions.Optimizer.allCases)
    func same(kind: OptimizationOptions.Optimizer) throws {
        let shades = try TwoShades()
        var (short, long) = (options(shades, epochs: 2), options(shades, epochs: 5))
        if kind == .sgd { (short.optimization.momentum, long.optimization.momentum) = (0.9, 0.9) }
        (short.optimization.optimizer, long.optimization.optimizer) = (kind, kind)
        let whole = try train(shades, long, output: "whole")
        let first = try train(shades, short)
        #expect(!first.wasDone && first.epochCount == 2)
        let before = try bytes(shades, "run/weights.safetensors")

        // Stopped on the way, twice, with the shorter run in its place.
        for step in [first.stepCount + 1, first.stepCount + 9] {
            #expect(throws: Stop.self) { try train(shades, long, stopAt: step) }
            #expect(try bytes(shades, "run/weights.safetensors") == before)
        }
        let summary = try train(shades, long)
        #expect(summary.stepCount == whole.stepCount && summary.epochCount == 5 && !summary.wasDone)
        #expect(summary.best == whole.best && summary.lambda1 == whole.lambda1)
        for name in ["weights.safetensors", "best.safetensors", "config.json", "model.json"] {
            #expect(try bytes(shades, "run/\(name)") == bytes(shades, "whole/\(name)"), "\(name)")
        }
        let lines = try ["run", "whole"].map {
            try Run(path: shades.folder.path($0)).metrics()?.steps.map(\.loss)
        }
        #expect(lines[0] == lines[1] && lines[0]?.count == whole.stepCount)
        #expect(try shades.folder.names() == ["d.h5", "run", "whole"])
        #expect(try train(shades, long).wasDone)
        #expect(try ValidationReport(runPath: shades.folder.path("run")).findings.isEmpty)
    }

    @Test(
        "a learning rate that goes by the number of epochs is refused by its name, and nothing is changed",
        arguments: [ScheduleOptions.Kind.cosine, .oneCycle])
    func schedules(kind: ScheduleOptions.Kind) throws {
        let shades = try TwoShades()
        var (short, long) = (options(shades, epochs: 2), options(shades, epochs: 3))
        (short.optimization.schedule, long.optimization.schedule) = (
            ScheduleOptions(kind), ScheduleOptions(kind)
        )
        _ = try train(shades, short)
        let error = #expect(throws: TrainingError.self) { try train(shades, long) }
        #expect(error?.code == .invalidOption && error?.description.contains(kind.rawValue) == true)
        #expect(try shades.folder.names() == ["d.h5", "run"])
    }

    @Test("fewer epochs, and anything else that is another, are refused as ever")
    func otherwise() throws {
        let shades = try TwoShades()
        _ = try train(shades, options(shades, epochs: 2))
        #expect(throws: TrainingError.self) { try train(shades, options(shades, epochs: 1)) }
        var other = options(shades, epochs: 3)
        other.optimization.learningRate = 0.5
        #expect(throws: TrainingError.self) { try train(shades, other) }
        #expect(try shades.folder.names() == ["d.h5", "run"])
    }

    @Test("a run that its patience has ended is as done with more epochs")
    func patience() throws {
        let shades = try TwoShades()
        var (short, long) = (options(shades, epochs: 9), options(shades, epochs: 12))
        (short.patience, long.patience) = (1, 1)
        let first = try train(shades, short)
        #expect(first.epochCount < 9)
        let again = try train(shades, long)
        #expect(again.wasDone && again.epochCount == first.epochCount)
    }

    @Test("what it needs may be deleted or damaged, and then it is said")
    func withoutContinuation() throws {
        let shades = try TwoShades()
        _ = try train(shades, options(shades, epochs: 2))
        let kept = shades.folder.path("run/continuation")
        var optimizer = try FileBytes.read(kept + "/optimizer.safetensors")
        optimizer[optimizer.count - 1] ^= 1
        try FileBytes.write(optimizer, to: kept + "/optimizer.safetensors")
        let damaged = #expect(throws: FormatError.self) { try train(shades, options(shades, epochs: 3)) }
        #expect(damaged?.code == .malformed && damaged?.path.hasSuffix("optimizer.safetensors") == true)
        try FileManager.default.removeItem(atPath: kept)
        #expect(try train(shades, options(shades, epochs: 2)).wasDone)
        let missing = #expect(throws: FormatError.self) { try train(shades, options(shades, epochs: 3)) }
        #expect(missing?.code == .unsupported)
        #expect(try shades.folder.names() == ["d.h5", "run"])
    }
}
