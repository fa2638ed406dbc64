import Foundation
import RRDatasets
import RRExplanation
import RRFormats
import RRNetworks
import RRSchemas
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
