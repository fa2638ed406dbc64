import Foundation
import TestSupport
import Testing

@Suite("Malformed model.json at the command line")
struct MalformedModelFileTests {
    /// A model.json for the images of the workshop with these layers before the last.
    private func model(_ layers: String) -> String {
        #"{"format":"rrdata.model","format_version":"1.0","input":[1,28,28],"classes":10,"layers":["#
            + layers + #","flatten",{"linear":{"out":10}}]}"#
    }

    @Test(
        "train ends with 65, names the file and the layer, and leaves nothing behind",
        arguments: [
            ("\"attention\"", "layers[0]"),
            (#""relu",{"conv2d":{"out":"many","kernel":3}}"#, "layers[1]"),
            (#"{"conv2d":{"out":-3,"kernel":3}}"#, "layers[0]"),
            (#"{"maxpool2d":{"kernel":9}},{"maxpool2d":{"kernel":9}}"#, "layers[1]"),
            (#""flatten",{"linear":{"out":1000000000}}"#, "layers[1]"),
            (#"{"conv2d":{"out":12,"kernel":3}},{"groupnorm":{"groups":5}}"#, "layers[1]"),
            (#"{"residual":{"body":["relu",{"conv2d":{"out":4,"kernel":3}}]}}"#, "layers[0]"),
        ])
    func layer(layers: String, location: String) throws {
        let outcome = try train(Array(model(layers).utf8))
        #expect(outcome.status == 65)
        #expect(outcome.errors.contains("model.json"), "\(outcome.errors)")
        #expect(outcome.errors.contains(location), "\(outcome.errors)")
    }

    @Test(
        "so does a file that is no model",
        arguments: ["", "[]", "{", "null", #"{"format":"rrdata.dataset"}"#, "\u{FF}"])
    func otherFile(text: String) throws {
        let outcome = try train(Array(text.utf8))
        #expect(outcome.status == 65)
        #expect(outcome.errors.contains("model.json"), "\(outcome.errors)")
    }

    private func train(_ model: [UInt8]) throws -> ChildProcess.Outcome {
        let folder = try TemporaryFolder()
        try folder.write(model, to: "model.json")
        let outcome = try CommandLineTool.run(
            [
                "train", try Workshop.shared.get().path("decoy.h5"), "--model", "model.json", "--epochs", "1",
                "-o", "run",
            ], in: folder.path)
        #expect(try folder.names() == ["model.json"])
        return outcome
    }
}
