import RRFormats
import RRSchemas
import TestSupport
import Testing

@Suite("Commands with weights of others")
struct ForeignWeightsCommandTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        for number in 0..<4 {
            let image = PNGImage(
                width: 2, height: 2, channels: 1, bitDepth: 8,
                samples: [0, 90, 30, 7].map { $0 + UInt8(number * 40) })
            try folder.write(PNGEncoder.encode(image), to: "in/\(number < 2 ? "a" : "b")/\(number).png")
        }
        let model = #"""
            {"format": "rrdata.model", "format_version": "1.0", "input": [1, 2, 2], "classes": 2, "layers": [
             "flatten", {"linear": {"out": 3}}, "relu", {"linear": {"out": 2}}]}
            """#
        try folder.write(Array(model.utf8), to: "model.json")
        try run(["import", "pngs", "in", "-o", "d.h5"])
    }

    @discardableResult
    private func run(_ arguments: [String], status: Int32 = 0) throws -> (text: String, errors: String) {
        let outcome = try CommandLineTool.run(arguments, in: folder.path)
        #expect(outcome.status == status, "\(arguments): \(outcome.errors)")
        return (outcome.text, outcome.errors)
    }

    private func weights(_ name: String) -> String { Fixtures.path("formats/weights/\(name)") }

    private func evaluate(_ name: String, status: Int32 = 0) throws -> (text: String, errors: String) {
        try run(
            ["evaluate", "d.h5", "--model", "model.json", "--weights", weights(name), "--json"],
            status: status)
    }

    @Test("evaluation gives the same figures, and says what was dropped and left out")
    func evaluation() throws {
        let plain = try evaluate("plain.safetensors")
        #expect(plain.errors.isEmpty)
        #expect(try evaluate("state-dict.pt") == plain)
        #expect(try evaluate("arrays.npz") == plain)
        let compiled = try evaluate("compiled.pt")
        #expect(compiled.text == plain.text)
        #expect(compiled.errors.contains("“_orig_mod.module.” in the names of"))
        let part = try evaluate("compiled-part.pt")
        #expect(part.text == plain.text && part.errors.contains("“_orig_mod.” in the names of"))
        let lightning = try evaluate("lightning.pt")
        #expect(lightning.text == plain.text)
        #expect(lightning.errors.contains("the weights are those at “state_dict” of"))
        #expect(
            lightning.errors.contains(
                "is not read: epoch, global_step, pytorch-lightning_version, optimizer_states"))
        #expect(lightning.errors.contains("“model.” in the names of"))
        #expect(try evaluate("two-networks.pt").errors.contains("those at “discriminator” of"))
    }

    @Test("training begins with the same weights, and masks are made from them")
    func training() throws {
        let training = ["train", "d.h5", "--model", "model.json", "--epochs", "1"]
        try run(training + ["--init", weights("plain.safetensors"), "-o", "plain"])
        let errors = try run(training + ["--init", weights("data-parallel.pt"), "-o", "parallel"]).errors
        #expect(errors.contains("“module.” in the names of"))
        #expect(
            try FileBytes.read(folder.path("plain/weights.safetensors"))
                == FileBytes.read(folder.path("parallel/weights.safetensors")))
        let making = ["make-masks", "d.h5", "--model", "model.json", "--top-k", "1"]
        #expect(
            try run(making + ["--weights", weights("checkpoint.pt"), "-o", "m.h5"]).errors
                .contains("optimizer_state_dict, scheduler, loss"))
        let search = try run(
            [
                "find-another", "d.h5", "--model", "model.json", "--epochs", "1", "--rounds", "1",
                "--threshold", "0.67",
                "--init", weights("larger.pt"), "-o", "rounds",
            ])
        #expect(search.errors.contains("“head.net.” in the names of"))
    }

    @Test("what is not read ends with exit code 65 and the lines that convert it, before anything is trained")
    func refusal() throws {
        let errors = try evaluate("refused-module.pt", status: 65).errors
        #expect(errors.contains("the file holds torch.nn.modules.container.Sequential"))
        #expect(errors.contains("\n  import torch; m = torch.load("))
        try run(
            [
                "train", "d.h5", "--model", "model.json", "--epochs", "1", "--init",
                weights("hostile-system.pt"), "-o",
                "run",
            ], status: 65)
        #expect(FileTree.kind(of: folder.path("run")) == nil)
    }

    @Test("info lists the tensors of a file of PyTorch")
    func information() throws {
        let description = try JSONValue(parsing: run(["info", weights("lightning.pt"), "--json"]).text)
        #expect(description["format"] == "pytorch" && description["elements"] == .integer(23))
        #expect(description["tensors"]?.arrayValue?.first?["name"] == "state_dict/model.1.weight")
        try run(["info", weights("refused-module.pt")], status: 65)
    }
}
