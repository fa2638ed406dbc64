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

@Suite("Resuming a run")
struct ResumeTests {
    private struct Stop: Error {}

    /// Tries to train, and gives the error that it must end in.
    private func refusal(
        _ shades: TwoShades, _ options: TrainingOptions, resumes: Bool
    ) throws -> FormatError? {
        let loop = try TrainingLoop(dataset: shades.dataset, masks: shades.masks, options: options)
        let storage = RunStorage(output: shades.folder.path("run"), resumes: resumes)
        return #expect(throws: FormatError.self) { try loop.run(storage) { _ in } }
    }

    /// Trains until a step and stops there, as a process does that is killed.
    private func stop(
        _ shades: TwoShades, _ options: TrainingOptions, after step: Int, output: String = "run",
        resumes: Bool = false
    ) throws {
        let loop = try TrainingLoop(dataset: shades.dataset, masks: shades.masks, options: options)
        let storage = RunStorage(
            output: shades.folder.path(output), resumes: resumes, checkpointSeconds: 0)
        #expect(throws: Stop.self) { try loop.run(storage) { if $0.step == step { throw Stop() } } }
    }

    private func resume(
        _ shades: TwoShades, _ options: TrainingOptions, output: String = "run", dataset: Dataset? = nil,
        masks: MaskSet? = nil
    ) throws -> TrainingSummary {
        try TrainingLoop(dataset: dataset ?? shades.dataset, masks: masks ?? shades.masks, options: options)
            .run(RunStorage(output: shades.folder.path(output), resumes: true)) { _ in }
    }

    private func options(_ shades: TwoShades, _ kind: OptimizationOptions.Optimizer) throws -> TrainingOptions
    {
        var options = shades.options
        options.model = ModelDescription(
            input: shades.dataset.imageShape, classCount: 2,
            layers: [
                .flatten, .linear(.init(out: 6)), .relu, .dropout(probability: 0.3), .linear(.init(out: 2)),
            ])
        options.loss.lambda1 = .value(1)
        options.normalization = .automatic
        options.optimization = OptimizationOptions(
            kind, learningRate: 0.02, momentum: kind == .sgd ? 0.9 : 0, weightDecay: 0.01)
        options.optimization.schedule = ScheduleOptions(.oneCycle)
        options.loss.lambda1WarmupSteps = 9
        options.optimization.largestNorm = 0.5
        options.loss.classWeights = .automatic
        options.stream.epochs = 3
        options.validation = "all"
        options.stream.batchSize = 7
        return options
    }

    /// The lines of `metrics.jsonl` without their times.
    private func metrics(_ path: String) throws -> [[String: JSONValue]] {
        try String(decoding: FileBytes.read(path + "/metrics.jsonl"), as: UTF8.self).split(separator: "\n")
            .map {
                (try JSONValue(parsing: String($0)).objectValue ?? [:]).filter {
                    !$0.key.hasPrefix("seconds")
                }
            }
    }

    @Test(
        "a run that is stopped anywhere, twice, ends as one that never was",
        arguments: [1, 7, 9, 20], OptimizationOptions.Optimizer.allCases)
    func same(step: Int, kind: OptimizationOptions.Optimizer) throws {
        let shades = try TwoShades()
        var options = try options(shades, kind)
        if kind == .sgd { options.loss.lambda1 = .automatic }
        let whole = try shades.train(options, output: "whole")
        try stop(shades, options, after: step)
        if step < 20 { try stop(shades, options, after: step + 1, resumes: true) }
        let summary = try resume(shades, options)
        #expect(summary.stepCount == 21 && summary.lambda1 == whole.lambda1 && summary.best == whole.best)
        for name in ["weights.safetensors", "best.safetensors", "config.json", "model.json"] {
            #expect(
                try FileBytes.read(shades.folder.path("run/\(name)"))
                    == FileBytes.read(shades.folder.path("whole/\(name)")), "\(name)")
        }
        #expect(try metrics(shades.folder.path("run")) == metrics(shades.folder.path("whole")))
        let files = try FileManager.default.contentsOfDirectory(atPath: shades.folder.path("run")).sorted()
        #expect(
            files == [
                "SHA256SUMS", "best.safetensors", "config.json", "continuation", "metrics.csv",
                "metrics.jsonl",
                "model.json",
                "weights.safetensors",
            ])
        #expect(try shades.folder.names() == ["d.h5", "run", "whole"])
    }

    @Test(
        "a run that was started otherwise is refused by the name of the option",
        arguments: [
            OptionChange("batchSize", { $0.stream.batchSize = 8 }),
            OptionChange("epochs", { $0.stream.epochs = 4 }),
            OptionChange("learningRate", { $0.optimization.learningRate = 0.1 }),
            OptionChange("seed", { $0.stream.seed = 1 }),
            OptionChange("lambda1", { $0.loss.lambda1 = .value(2) }),
            OptionChange("lambda1", { $0.loss.lambda1 = .automatic }),
            OptionChange("isShuffled = false", { $0.stream.isShuffled = false }),
            OptionChange("largestNorm", { $0.optimization.largestNorm = nil }),
            OptionChange("schedule", { $0.optimization.schedule = ScheduleOptions() }),
            OptionChange("optimizer", { $0.optimization.optimizer = .adamw }),
            OptionChange("frozenLayers", { $0.optimization.frozenLayers = ["1"] }),
            OptionChange("normalization", { $0.normalization = .none }),
            OptionChange("precision", { $0.precision = .double }),
            OptionChange("classWeights", { $0.loss.classWeights = .fixed([1, 2]) }),
            OptionChange("patience", { $0.patience = 3 }),
            OptionChange("validation", { $0.validation = nil }),
            OptionChange(
                "model",
                {
                    $0.model = ModelDescription(
                        input: $0.model.input, classCount: 2,
                        layers: [.flatten, .linear(.init(out: 6)), .tanh, .linear(.init(out: 2))])
                }
            ),
        ])
    func otherOptions(change: OptionChange) throws {
        let shades = try TwoShades()
        var options = try options(shades, .adam)
        try stop(shades, options, after: 10)
        let before = try FileBytes.read(shades.folder.path("run.unfinished/metrics.jsonl"))
        change.apply(&options)
        let error = #expect(throws: (any Error).self) { try resume(shades, options) }
        if change.name == "model", let error = error as? FormatError {
            // Weights without the dropout layer have other names.
            #expect(error.code == .malformed)
        } else {
            let error = try #require(error as? TrainingError)
            #expect(
                error.code == .invalidOption && error.place == .option(OptionName(change.name)), "\(error)")
            #expect(error.message.contains("run.unfinished"))
        }
        #expect(try FileBytes.read(shades.folder.path("run.unfinished/metrics.jsonl")) == before)
    }

    @Test("other masks and another dataset are refused")
    func otherData() throws {
        let shades = try TwoShades()
        let options = try options(shades, .adam)
        try stop(shades, options, after: 10)
        var rows = shades.masks.rows
        rows.swapAt(0, 1)
        let moved = try MaskSet(
            bits: shades.masks.bits, rows: rows, maskShape: shades.masks.maskShape,
            datasetFingerprint: shades.dataset.fingerprint)
        let error = #expect(throws: TrainingError.self) { try resume(shades, options, masks: moved) }
        #expect(error?.code == .unsuitableDataset && error?.place == .option(OptionName("masks")))
        let other = try TwoShades(seed: 2)
        let refused = #expect(throws: TrainingError.self) {
            try resume(shades, options, dataset: other.dataset, masks: other.masks)
        }
        #expect(refused?.code == .unsuitableDataset && refused?.place == .file(other.dataset.path))
    }

    @Test("a run that is done tells again what it came to, where it is the run that is asked for")
    func done() throws {
        let shades = try TwoShades()
        var options = try options(shades, .adam)
        options.validation = "all"
        let first = try resume(shades, options)
        #expect(!first.wasDone)
        let files = try FileBytes.read(shades.folder.path("run/metrics.jsonl"))
        let again = try resume(shades, options)
        #expect(again.wasDone && again.stepCount == first.stepCount && again.epochCount == first.epochCount)
        #expect(again.best == first.best && first.best != nil && again.lambda1 == first.lambda1)
        #expect(
            again.lastEpoch.loss == first.lastEpoch.loss && again.lastEpoch.penalty == first.lastEpoch.penalty
        )
        #expect(again.lastEpoch.accuracy == first.lastEpoch.accuracy)
        #expect(try FileBytes.read(shades.folder.path("run/metrics.jsonl")) == files)

        var other = options
        other.optimization.learningRate = 0.03
        let refused = #expect(throws: TrainingError.self) { try resume(shades, other) }
        #expect(refused?.place == .option(OptionName("learningRate")))
        try shades.folder.write([1], to: "run/weights.safetensors")
        let damaged = #expect(throws: FormatError.self) { try resume(shades, options) }
        #expect(damaged?.code == .malformed && damaged?.path.hasSuffix("weights.safetensors") == true)
    }

    @Test(
        "what was left before the first checkpoint is begun anew; somebody else's folder of that name stays",
        arguments: [
            (["metrics.jsonl": ""], true), ([:], true),
            (["metrics.jsonl": "", "metrics.csv": "", "config.json": "{\"format\": \"rrd"], true),
            (["metrics.jsonl": "\0\0{\"a\": 1}\n", "metrics.csv": "epoch,st", "config.json": "\0"], true),
            (["metrics.jsonl": "", "checkpoint/weights-0.safetensors": "x", "best.safetensors": "x"], true),
            (["metrics.jsonl": "{\"epoch\": 1, \"accuracy\": 0.5}\n"], false),
            (["metrics.jsonl": "0.5 0.6"], false),
            (["metrics.jsonl": "", "config.json": "{\"model_type\": \"bert\"}"], false),
            (["metrics.jsonl": "", "notes.txt": "mine"], false), (["metrics.csv": "mine"], false),
            (["metrics.jsonl": "", "metrics.csv": "loss,accuracy\n1,2\n"], false),
            (["metrics.jsonl": "", "checkpoint/model.bin": "x"], false),
            (["metrics.jsonl": "", "checkpoint/weights-0.safetensors/x": "x"], true),
        ])
    func leftover(files: [String: String], isOurs: Bool) throws {
        let shades = try TwoShades()
        let options = try options(shades, .sgd)
        try FileManager.default.createDirectory(
            atPath: shades.folder.path("run.unfinished"), withIntermediateDirectories: false)
        for (name, text) in files { try shades.folder.write(Array(text.utf8), to: "run.unfinished/" + name) }
        for resumes in [false, true] where !isOurs {
            #expect(try refusal(shades, options, resumes: resumes)?.code == .cannotWrite)
            for (name, text) in files {
                #expect(try FileBytes.read(shades.folder.path("run.unfinished/" + name)) == Array(text.utf8))
            }
        }
        guard isOurs else { return }
        #expect(try resume(shades, options).stepCount == 21)
        #expect(try shades.folder.names() == ["d.h5", "run"])
    }

    @Test("an unfinished run is not overwritten without force, and one that is done is left as it is")
    func outputs() throws {
        let shades = try TwoShades()
        let options = try options(shades, .sgd)
        try stop(shades, options, after: 10)
        #expect(try refusal(shades, options, resumes: false)?.code == .outputExists)
        #expect(UnfinishedRun.stepCount(of: shades.folder.path("run/")) == 9)
        _ = try resume(shades, options)
        #expect(UnfinishedRun.stepCount(of: shades.folder.path("run")) == nil)
        #expect(try resume(shades, options).wasDone)
        // Nothing to resume is a run from the start.
        #expect(try resume(shades, options, output: "new").stepCount == 21)
        try stop(shades, options, after: 10, output: "third")
        _ = try TrainingLoop(dataset: shades.dataset, masks: shades.masks, options: options)
            .run(output: shades.folder.path("third"), force: true) { _ in }
        #expect(try shades.folder.names() == ["d.h5", "new", "run", "third"])
        // What is no run is nobody's to replace, whatever its name.
        try shades.folder.write([1], to: "fourth.unfinished/find-another.json")
        let foreign = #expect(throws: FormatError.self) {
            try TrainingLoop(dataset: shades.dataset, masks: shades.masks, options: options)
                .run(output: shades.folder.path("fourth"), force: true) { _ in }
        }
        #expect(foreign?.code == .cannotWrite && foreign?.path.hasSuffix("fourth.unfinished") == true)
        #expect(try FileBytes.read(shades.folder.path("fourth.unfinished/find-another.json")) == [1])
    }

    @Test(
        "a checkpoint that was tampered with is refused, and does no harm",
        arguments: [
            ("checkpoint/state.json", "\"batch\": 2", "\"batch\": 900", "does not fit"),
            ("checkpoint/state.json", "\"step\": 9", "\"step\": 8", "optimizer-8"),
            ("checkpoint/state.json", "\"epoch\": 1", "\"epoch\": -1", "field"),
            ("checkpoint/state.json", "rrdata.checkpoint", "rrdata.walk", "state.json"),
            ("checkpoint/state.json", "\"1.0\"", "\"2.0\"", "newer"),
            ("checkpoint/state.json", "\"seconds\":", "\"seconds\": 1e300, \"s\":", "field"),
            ("checkpoint/state.json", "\"batch\": 2", "\"batch\": 9223372036854775807", "field"),
            ("checkpoint/state.json", "\"samples\":", "\"samples\": 9223372036854775807, \"s\":", "field"),
            (
                "checkpoint/state.json", "\"epochs_since_best\":",
                "\"epochs_since_best\": 9223372036854775807, \"s\":", "field"
            ),
            ("checkpoint/optimizer-9.safetensors", "second.", "sacond.", "does not fit"),
            ("checkpoint/optimizer-9.safetensors", "second.1", "second.7", ":7."),
            ("checkpoint/state.json", "\"metrics_bytes\": ", "\"metrics_bytes\": 9", "metrics.jsonl"),
        ])
    func tampered(name: String, text: String, other: String, hint: String) throws {
        let shades = try TwoShades()
        let options = try options(shades, .adam)
        try stop(shades, options, after: 10)
        let path = shades.folder.path("run.unfinished/\(name)")
        let bytes = try Data(contentsOf: URL(filePath: path))
        var changed = bytes
        while let range = changed.range(of: Data(text.utf8)) {
            changed.replaceSubrange(range, with: Data(other.utf8))
            if other.contains(text) { break }
        }
        try #require(changed != bytes)
        try changed.write(to: URL(filePath: path))
        let error = #expect(throws: FormatError.self) { try resume(shades, options) }
        #expect(error?.description.contains(hint) == true, "\(error.debugDescription)")
    }

    @Test("two processes do not train one run, nor does force take it from under the other")
    func locked() throws {
        let shades = try TwoShades()
        let options = try options(shades, .adam)
        try stop(shades, options, after: 10)
        let loop = try TrainingLoop(dataset: shades.dataset, masks: shades.masks, options: options)
        var errors: [FormatError?] = []
        _ = try loop.run(RunStorage(output: shades.folder.path("run"), resumes: true)) {
            guard $0.step == 12 else { return }
            errors.append(try refusal(shades, options, resumes: true))
            errors.append(
                #expect(throws: FormatError.self) {
                    try loop.run(output: shades.folder.path("run"), force: true) { _ in }
                })
        }
        #expect(errors.count == 2)
        for error in errors {
            #expect(error?.code == .cannotWrite && error?.message.contains("another process") == true)
        }
        #expect(try shades.folder.names() == ["d.h5", "run"])
    }

    @Test("a batch size without sense is refused by name when a run is resumed")
    func largeBatchSize() throws {
        let shades = try TwoShades()
        var options = try options(shades, .adam)
        try stop(shades, options, after: 10)
        options.stream.batchSize = .max
        let error = #expect(throws: TrainingError.self) { try resume(shades, options) }
        #expect(error?.place == .option(OptionName("batchSize")))
    }

    @Test("a loss that is no longer finite names the step and leaves the last good checkpoint")
    func divergence() throws {
        let shades = try TwoShades()
        var options = shades.options
        options.loss.lambda1 = .value(0)
        options.optimization = OptimizationOptions(.sgd, learningRate: 1e30)
        // The first step is too large already, but its own loss is not.
        let error = #expect(throws: TrainingError.self) {
            try TrainingLoop(dataset: shades.dataset, masks: nil, options: options)
                .run(RunStorage(output: shades.folder.path("run"), resumes: true)) { _ in }
        }
        #expect(error?.code == .diverged)
        #expect([.step(0), .step(1), .step(2)].contains(error?.place))
        for hint in [
            "after 0 steps", "run.unfinished/checkpoint", "weights-0.safetensors", "learningRate",
        ] {
            #expect(error?.message.contains(hint) == true, "\(error.debugDescription)")
        }
        let weights = shades.folder.path("run.unfinished/checkpoint/weights-0.safetensors")
        let values = try SafeTensorsFile.read(weights).flatMap { try $0.values(as: Float.self) }
        #expect(!values.contains { !$0.isFinite })
    }
}
