import RRFormats
import RRSchemas
import TestSupport
import Testing

@Suite("Masks that mark nothing of what is trained on")
struct AnnotationTests {
    let folder: TemporaryFolder

    /// A dataset with two splits, and masks of its test split alone.
    init() throws {
        folder = try TemporaryFolder()
        for (number, name) in ["train/a/0", "train/b/1", "test/a/2", "test/b/3"].enumerated() {
            let image = PNGImage(
                width: 8, height: 8, channels: 1, bitDepth: 8,
                samples: Array(repeating: UInt8(number * 60), count: 64))
            try folder.write(PNGEncoder.encode(image), to: "in/\(name).png")
            guard name.hasPrefix("test") else { continue }
            let mask = PNGImage(
                width: 8, height: 8, channels: 1, bitDepth: 8, samples: [255] + Array(repeating: 0, count: 63)
            )
            try folder.write(PNGEncoder.encode(mask), to: "masks/\(name).png")
        }
        try run(["import", "pngs", "in", "--masks", "masks", "-o", "d.h5", "--masks-output", "m.h5"])
    }

    @discardableResult
    private func run(_ arguments: [String], status: Int32 = 0) throws -> (text: String, errors: String) {
        let outcome = try CommandLineTool.run(arguments, in: folder.path)
        #expect(outcome.status == status, "\(arguments): \(outcome.errors)")
        return (outcome.text, outcome.errors)
    }

    private let training = ["train", "d.h5", "--masks", "m.h5", "--model", "mlp", "--epochs", "1"]

    @Test("training says that it is plain cross-entropy")
    func plain() throws {
        let errors = try run(training + ["-o", "run"]).errors
        #expect(
            errors.contains("no mask marks a pixel of any sample of the split train (2 other samples are)"))
        #expect(try !run(training + ["--split", "test", "-o", "other"]).errors.contains("no mask"))
    }

    @Test("training stops where the penalty is asked for", arguments: ["1", "auto"])
    func stops(lambda1: String) throws {
        let errors = try run(training + ["--lambda1", lambda1, "-o", "run"], status: 65).errors
        #expect(errors.contains("--masks: no mask marks") && errors.contains("--lambda1 would weigh nothing"))
        #expect(FileTree.kind(of: folder.path("run")) == nil)
        try run(training + ["--lambda1", "0", "-o", "run"])
        try run(training + ["--lambda1", lambda1, "--split", "all", "-o", "all"])
    }

    @Test("evaluation says that there is nothing to say of explanations")
    func evaluation() throws {
        try run(training + ["-o", "run"])
        let arguments = ["evaluate", "run", "d.h5", "--masks", "m.h5", "--json"]
        let (text, errors) = try run(arguments + ["--split", "train"])
        #expect(errors.contains("no mask marks a pixel of any sample of the split train"))
        #expect(try JSONValue(parsing: text)["explanation"]?["gradient_share_inside_mask"] == .null)
        try run(arguments + ["--split", "train", "--lambda1", "1"], status: 65)
        #expect(try run(arguments).errors.isEmpty)
    }

    @Test("a stream and a union say that there is nothing in the masks")
    func streamAndUnion() throws {
        let stream = ["stream", "d.h5", "--masks", "m.h5", "--batch-size", "2", "--format", "null"]
        #expect(
            try run(stream).errors.contains(
                "any sample of the split train (2 other samples are), so every mask of this stream is zero"))
        #expect(try run(stream + ["--split", "test"]).errors.isEmpty)
        #expect(try run(stream + ["--split", "all"]).errors.isEmpty)
        try run(training + ["-o", "run"])
        let making = [
            "make-masks", "d.h5", "--run", "run", "--top-k", "1", "--union", "m.h5", "--force", "-o", "n.h5",
        ]
        #expect(try run(making + ["--split", "train"]).errors.contains("in --union, so nothing is joined"))
        #expect(try run(making).errors.isEmpty)
    }
}
