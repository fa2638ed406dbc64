import Foundation
import RRFormats
import RRSchemas
import TestSupport
import Testing

/// Networks that other programs wrote, and runs that other programs read.
@Suite("ONNX on the command line")
struct ONNXCommandTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try run([
            "toy-colors", "--train", "48", "--test", "24", "-o", "d.h5", "--corner-masks-output", "m.h5",
            "--top-masks-output", "t.h5",
        ])
    }

    @discardableResult
    private func run(_ arguments: [String], status: Int32 = 0) throws -> (text: String, errors: String) {
        let outcome = try CommandLineTool.run(arguments, in: folder.path)
        #expect(outcome.status == status, "\(arguments): \(outcome.errors)")
        return (outcome.text, outcome.errors)
    }

    private let short = ["--batch-size", "16", "--epochs", "2"]

    @Test("a run goes out and is judged alike, and what is trained from it is complete in itself")
    func thereAndBack() throws {
        try run(
            ["train", "d.h5", "--masks", "m.h5", "--model", "mlp", "--normalize", "auto", "-o", "first"]
                + short)
        try run(["export", "model", "first", "-o", "first.onnx"])
        try run(["export", "model", "first", "-o", "first.onnx"], status: 73)
        let (whole, other) = (
            try JSONValue(parsing: run(["evaluate", "first", "d.h5", "--json"]).text),
            try JSONValue(parsing: run(["evaluate", "d.h5", "--model", "first.onnx", "--json"]).text)
        )
        #expect(whole["accuracy"] == other["accuracy"])
        let entropies = [whole, other].compactMap { $0["cross_entropy"]?.doubleValue }
        #expect(entropies.count == 2 && (entropies[0] - entropies[1]).magnitude < 1e-5 * entropies[0])
        let info = try JSONValue(parsing: run(["info", "first.onnx", "--json"]).text)
        #expect(info["classes"] == 2 && info["format"] == "rrdata.model")

        let training =
            ["train", "d.h5", "--masks", "m.h5", "--model", "first.onnx", "--resume", "-o", "second"] + short
        try run(training)
        try run(["find-another", "d.h5", "--model", "first.onnx", "--rounds", "2", "-o", "others"] + short)
        try FileManager.default.removeItem(atPath: folder.path("first.onnx"))
        try run(["evaluate", "second", "d.h5", "--masks", "m.h5"])
        try run(["make-masks", "d.h5", "--run", "second", "--top-k", "4", "-o", "seen.h5"])
        try run(["evaluate", "others/round-2/run", "d.h5"])
        try run(["validate", "second"])
        #expect(try run(training).errors.contains("was done already"))
        try run(["train", "d.h5", "--model", "first.onnx", "-o", "third"] + short, status: 66)
    }

    @Test("a run that was stopped goes on without the files of its network, and what is done needs none")
    func lostFiles() throws {
        let names = ["colleague.onnx", "colleague.onnx.data"]
        for name in names {
            try FileManager.default.copyItem(
                atPath: Fixtures.path("onnx/" + name), toPath: folder.path(name))
        }
        try run(["import", "pngs", Fixtures.path("fashion"), "-o", "f.h5"])
        let options = [
            "f.h5", "--model", names[0], "--batch-size", "16", "--checkpoint-every", "0", "--resume",
        ]
        let training = ["train", "--epochs", "8"] + options
        let search = ["find-another", "--rounds", "1", "--epochs", "1", "-o", "others"] + options
        try run(training + ["-o", "whole"])
        try run(search)
        // Before its first checkpoint is whole there is nothing to go on from.
        let status = try CommandLineTool.run(
            training + ["-o", "stopped"], in: folder.path, sending: SIGKILL,
            onceThereIs: "stopped.unfinished/checkpoint/state.json")
        try #require(status == -SIGKILL)

        // The checksum is of both files.
        let config = try JSONValue(
            parsing: String(contentsOfFile: folder.path("whole/config.json"), encoding: .utf8))
        var hasher = SHA256Hasher()
        for name in names {
            try Data(contentsOf: URL(filePath: folder.path(name))).withUnsafeBytes { hasher.update($0) }
        }
        let hash = hasher.finalize()
        #expect(config["options"]?["init_sha256"]?.stringValue == hash)

        try FileManager.default.removeItem(atPath: folder.path(names[1]))
        #expect(try run(search).errors.contains("were done already"))
        try run(search + ["--force"], status: 66)
        try FileManager.default.removeItem(atPath: folder.path(names[0]))
        try run(training + ["-o", "stopped"])
        let weights = try ["whole", "stopped"].map {
            try Data(contentsOf: URL(filePath: folder.path("\($0)/weights.safetensors")))
        }
        #expect(weights[0] == weights[1])
    }

    @Test("an explanation of an imported network may be about its last map")
    func map() throws {
        try run(
            [
                "train", "d.h5", "--masks", "m.h5", "--model",
                Fixtures.path("onnx/resnet-script-17-plain-open.onnx"), "--resize-crop", "12:12",
                "--attribution", "gradcam", "-o", "map",
            ] + short)
    }

    @Test(
        "a network of another number of classes has its last layer drawn anew, under its weights' own names")
    func otherClasses() throws {
        let network = Fixtures.path("onnx/lenet-script-13.onnx")
        try run(["import", "pngs", Fixtures.path("fashion"), "-o", "f.h5"])
        let training = ["train", "f.h5", "--model", network, "--resize-crop", "12:12", "-o", "run"] + short
        #expect(try run(training + ["--head", "keep"], status: 65).errors.contains("10 classes"))
        #expect(try run(training).errors.contains("the head, 6, is drawn anew"))
        let tensors = try SafeTensorsFile.read(folder.path("run/weights.safetensors"))
        #expect(tensors.first { $0.name == "6.weight" }?.shape == [10, 20])
    }

    @Test("what is not served is refused by its node")
    func refused() throws {
        struct Stored: Decodable { let bytes: String }
        let data = try Data(contentsOf: URL(filePath: Fixtures.path("onnx/refused.json")))
        let files = try JSONDecoder().decode([String: Stored].self, from: data)
        let bytes = try #require(files["random-uniform"].flatMap { Data(base64Encoded: $0.bytes) })
        try folder.write(Array(bytes), to: "random.onnx")
        let message = try run(["info", "random.onnx"], status: 65).errors
        #expect(message.contains("random.onnx:the_RandomUniformLike") && message.contains("model.eval()"))
    }
}
