import Foundation
import RRSchemas
import TestSupport
import Testing

@Suite("Resized crops on the command line", .serialized)
struct AugmentationCommandTests {
    private func run(_ line: String) throws -> ChildProcess.Outcome {
        try CommandLineTool.run(
            line.split(separator: " ").map(String.init), in: Workshop.shared.get().path)
    }

    private func byteCount(_ pixels: Int) -> Int { 15 * (4 * 128 + 8 * (pixels * 4 + 8 + 8 + pixels)) }

    @Test("batches have the size of the crops, and masks too")
    func sizes() throws {
        let stream = "stream decoy.h5 --masks masks.h5 --batch-size 8 --format npy"
        for (options, height, width) in [
            ("--augment hflip,resized-crop:20x16,rotate:10", 20, 16), ("--augment resized-crop:40", 40, 40),
            ("--resize-crop 32:24x30", 24, 30), ("--resize-crop 32:24 --augment rot90", 24, 24),
        ] {
            let outcome = try run("\(stream) \(options)")
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(outcome.output.count == byteCount(height * width), "\(options)")
            let header = String(decoding: outcome.output.prefix(128), as: UTF8.self)
            #expect(header.contains("(8, 1, \(height), \(width))"), "\(header)")
        }
        // Another number of threads, the same bytes.
        let options = "--shuffle --augment resized-crop:20x16,blur:3,rotate:90"
        #expect(
            try run("\(stream) \(options) --jobs 1").output == run("\(stream) \(options) --jobs 3").output)
    }

    @Test(
        "what cannot be done to these images is refused by name",
        arguments: [
            ("--augment hue:0.1", "hue"), ("--augment blur:57", "blur:57"), ("--augment blur:4", "--augment"),
            ("--augment resized-crop:20x16,rot90", "rot90"), ("--augment resized-crop:0x16", "--augment"),
            ("--augment resized-crop:8x8:0.5:0.1", "--augment"), ("--augment hue:0.6", "--augment"),
            ("--augment resized-crop:8,resized-crop:9", "--augment"),
            ("--augment resized-crop:8,crop:8", "crop:8"), ("--augment rotate:400", "--augment"),
            ("--resize-crop 24:32", "--resize-crop"), ("--resize-crop 24", "--resize-crop"),
            ("--resize-crop 32:24 --augment resized-crop:24", "--resize-crop"),
            ("--resize-crop 32:24 --raw", "--resize-crop"), ("--resize-crop 32:8 --augment crop:8", "crop:8"),
            ("--augment resized-crop:1000000x1000000", "memory"),
            ("--resize-crop 1000000:1000000", "memory"),
        ])
    func refusals(options: String, name: String) throws {
        let outcome = try run("stream decoy.h5 --batch-size 8 --format null \(options)")
        #expect(outcome.status == 64, "\(outcome.errors)")
        #expect(outcome.errors.contains(name), "\(outcome.errors)")
    }

    @Test("a cursor has a resizing where there is one, and goes on with the same only")
    func cursor() throws {
        let stream = "stream decoy.h5 --batch-size 8 --format null"
        #expect(try run("\(stream) --cursor plain-size.json").status == 0)
        #expect(
            try !String(decoding: Workshop.bytes("plain-size.json"), as: UTF8.self).contains("resize_crop"))
        #expect(try run("\(stream) --cursor size.json --resize-crop 32:24").status == 0)
        let cursor = try JSONValue(parsing: [UInt8](Workshop.bytes("size.json")))
        #expect(cursor["options"]?["resize_crop"] == "32:24x24")
        #expect(try run("\(stream) --cursor size.json --resize-crop 32:24x24").status == 0)
        for (name, options) in [
            ("plain-size", "--resize-crop 32:24"), ("size", "--resize-crop 32:23"), ("size", ""),
        ] {
            let outcome = try run("\(stream) --cursor \(name).json \(options)")
            #expect(outcome.status == 64 && outcome.errors.contains("--resize-crop"), "\(outcome.errors)")
        }
    }

    @Test("a run keeps its resizing, and is measured with it")
    func training() throws {
        let train = "train decoy.h5 --masks masks.h5 --lambda1 1 --model mlp --batch-size 16 --epochs 2"
        let both = "--augment resized-crop:24,hflip --resize-crop 32:24"
        let outcome = try run("\(train) \(both) --validation test -o resized")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let configuration = try JSONValue(parsing: [UInt8](Workshop.bytes("resized/config.json")))
        #expect(configuration["options"]?["resize_crop"] == "32:24x24")
        #expect(configuration["options"]?["augment"] == "resized-crop:24x24,hflip")
        let model = try JSONValue(parsing: [UInt8](Workshop.bytes("resized/model.json")))
        #expect(model["input"] == [1, 24, 24])
        // Without one there is no word of it, as in runs of earlier releases.
        #expect(
            try !String(decoding: Workshop.bytes("right/config.json"), as: UTF8.self).contains("resize_crop"))

        let measured = try Workshop.json("evaluate", "resized", "decoy.h5", "--masks", "masks.h5")
        let files = ["--model", "resized/model.json", "--weights", "resized/weights.safetensors"]
        let outside = try CommandLineTool.run(
            ["evaluate", "decoy.h5"] + files + ["--masks", "masks.h5", "--json", "--resize-crop", "32:24"],
            in: Workshop.shared.get().path)
        let same = try JSONValue(parsing: outside.text)
        #expect(
            measured["accuracy"] == same["accuracy"] && measured["cross_entropy"] == same["cross_entropy"])
        let other = try Workshop.json(
            "evaluate", "resized", "decoy.h5", "--masks", "masks.h5", "--resize-crop", "24:24")
        #expect(measured["cross_entropy"] != other["cross_entropy"])
        let last = try String(decoding: Workshop.bytes("resized/metrics.jsonl"), as: UTF8.self)
            .split(separator: "\n").map { try JSONValue(parsing: String($0)) }.last { $0["kind"] == "epoch" }
        let validated = try #require(last?["validation"]?["cross_entropy"]?.doubleValue)
        #expect(abs(validated - (measured["cross_entropy"]?.doubleValue ?? 0)) < 1e-5)

        let refusals = [
            ("make-masks decoy.h5 --run resized --top-k 3 -o m.h5", 64, "--resize-crop"),
            ("make-masks decoy.h5 --run resized --per-class --top-k 3 -o m", 64, "--resize-crop"),
            ("\(train) --resize-crop 32:24 --collect-masks m.h5 --top-k 3 -o r", 64, "--collect-masks"),
            ("\(train) --augment resized-crop:24 --validation test -o r", 64, "--resize-crop"),
            ("\(train) --augment resized-crop:24 --resize-crop 32:28 -o r", 64, "--resize-crop"),
            ("train decoy.h5 --model resized/model.json -o r", 65, "(1, 24, 24)"),
            ("train decoy.h5 --model resized/model.json --resize-crop 32:30 -o r", 65, "(1, 30, 30)"),
            (
                "\(train) --augment resized-crop:24,hflip --resize-crop 30:24 --validation test -o resized --resume",
                64, "--resize-crop"
            ),
            ("find-another decoy.h5 --model mlp --rounds 2 --resize-crop 32:24 -o f", 64, "--resize-crop"),
            ("find-another decoy.h5 --model mlp --rounds 2 --augment resized-crop:28 -o f", 64, "--augment"),
        ]
        for (line, status, name) in refusals {
            let outcome = try run(line)
            #expect(outcome.status == status && outcome.errors.contains(name), "\(line): \(outcome.errors)")
        }
    }

    @Test("a run whose config.json has a resizing without sense is refused")
    func malformed() throws {
        let folder = try Workshop.shared.get()
        let path = folder.path("senseless")
        try FileManager.default.copyItem(atPath: folder.path("right"), toPath: path)
        let text = try String(decoding: Workshop.bytes("right/config.json"), as: UTF8.self)
        try Data(text.replacing("\"schedule\":", with: "\"resize_crop\": \"24:32\", \"schedule\":").utf8)
            .write(to: URL(filePath: path + "/config.json"))
        let outcome = try run("evaluate senseless decoy.h5")
        #expect(outcome.status == 65 && outcome.errors.contains("resize_crop"), "\(outcome.errors)")
    }
}
