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

@Suite("Run folders and model files")
struct RunTests {
    @Test(
        "a folder that is no run is named, with what is wrong",
        arguments: [
            ("", FormatError.Code.notFound, "no such"), ("{}", .malformed, "not the config.json"),
            ("nonsense", .malformed, "not JSON"),
            (#"{"format":"rrdata.run","format_version":"2.0"}"#, .unsupported, "format_version"),
            (#"{"format":"rrdata.run","format_version":"1.0"}"#, .notFound, "model.json"),
        ])
    func malformedRun(configuration: String, code: FormatError.Code, hint: String) throws {
        let folder = try TemporaryFolder()
        if !configuration.isEmpty { try folder.write(Array(configuration.utf8), to: "run/config.json") }
        let error = #expect(throws: FormatError.self) { try Run(path: folder.path("run")) }
        #expect(error?.code == code)
        #expect(error?.description.contains(hint) == true)
    }

    @Test(
        "a model file that is no model is named, with the field or the layer",
        arguments: [
            ("nonsense", "JSON"), ("[]", "object"), (#"{"format":"rrdata.model"}"#, "format_version"),
            (
                #"{"format":"rrdata.model","format_version":"1.0","input":[1,4,4],"classes":2,"layers":[{"linear":{"out":2}}]}"#,
                "layers[0] (linear)"
            ),
            (
                #"{"format":"rrdata.model","format_version":"1.0","input":[1,4,4],"classes":2,"layers":["rleu"]}"#,
                "rleu"
            ),
            (
                #"{"format":"rrdata.model","format_version":"1.0","input":[1,4,4],"classes":"two","layers":[]}"#,
                "/classes"
            ),
        ])
    func malformedModel(text: String, hint: String) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(Array(text.utf8), to: "model.json")
        let error = #expect(throws: FormatError.self) { try ModelFile.read(path) }
        #expect(error?.description.contains("model.json") == true)
        #expect(error?.description.contains(hint) == true, "\(error.debugDescription)")
    }

    @Test("a run gives its metrics as values, those that the training told and those of the validation")
    func metrics() throws {
        let shades = try TwoShades()
        var options = shades.options
        options.validation = "all"
        options.stream.seed = 7
        var told: [TrainingProgress] = []
        _ = try TrainingLoop(dataset: shades.dataset, masks: shades.masks, options: options)
            .run(output: shades.folder.path("run")) { told.append($0) }
        let run = try Run(path: shades.folder.path("run"))
        #expect(run.seed == 7 && run.split == "all" && run.penaltyWeight?.lambda1 == 1)
        #expect(try run.datasetFingerprint == shades.dataset.fingerprint)
        let metrics = try #require(try run.metrics())
        #expect(metrics.steps.map(\.step) == Array(0..<30) && metrics.steps.map(\.epoch) == told.map(\.epoch))
        #expect(metrics.steps.allSatisfy { $0.lambda1 == 1 && $0.seconds >= $0.secondsWaiting })
        #expect(metrics.epochs.map(\.epoch) == Array(0..<5))
        let means = told.filter(\.isEndOfEpoch).map(\.mean)
        #expect(metrics.epochs.map(\.loss) == means.map(\.loss))
        #expect(metrics.epochs.map(\.penalty) == means.map(\.penalty))
        for (epoch, mean) in zip(metrics.epochs, means) {
            let steps = metrics.steps.filter { $0.epoch == epoch.epoch }
            #expect(abs(steps.reduce(0) { $0 + $1.loss } / 6 - mean.loss) < 1e-12)
            #expect(epoch.stepCount == 6 && epoch.sampleCount == 48 && epoch.validation?.sampleCount == 48)
            #expect(epoch.validation?.split == "all")
        }
        let weights = shades.folder.path("run/weights.safetensors")
        let alone = try Run(modelPath: shades.folder.path("run/model.json"), weightsPath: weights)
        #expect(try alone.metrics() == nil && alone.seed == nil)
    }

    @Test(
        "a line that is no step and no epoch is named",
        arguments: ["nonsense", "{}", #"{"kind":"epoch"}"#, #"{"kind":"epoch","epoch":0,"validation":{}}"#])
    func malformedMetrics(line: String) throws {
        let shades = try TwoShades()
        _ = try shades.train(shades.options)
        let path = shades.folder.path("run/metrics.jsonl")
        let text = try String(contentsOfFile: path, encoding: .utf8)
        try (text + line + "\n").write(toFile: path, atomically: true, encoding: .utf8)
        let run = try Run(path: shades.folder.path("run"))
        let error = #expect(throws: FormatError.self) { try run.metrics() }
        #expect(error?.code == .malformed && error?.message.contains("line 36") == true)
    }

    @Test("weights of another model are refused by the tensor's name")
    func otherWeights() throws {
        let shades = try TwoShades()
        _ = try shades.train(shades.options)
        let run = try Run(path: shades.folder.path("run"))
        let other = try Network<Float>(
            BuiltInModel.mlp.description(input: ImageShape(channels: 1, height: 5, width: 5), classCount: 2))
        let error = #expect(throws: FormatError.self) { try run.parameters(of: other) }
        #expect(error?.path.hasSuffix("weights.safetensors:1.weight") == true)
    }
}
