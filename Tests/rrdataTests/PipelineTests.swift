import Foundation
import RRFormats
import RRSchemas
import RRTensor
import TestSupport
import Testing

@Suite("From PNGs to a model and back to masks")
struct PipelineTests {
    @Test("zero masks, λ1 = 0 and no masks give the same weights byte for byte", arguments: ["mlp", "lenet"])
    func plainCrossEntropy(model: String) throws {
        let folder = try Workshop.shared.get()
        // The masks of the decoys, every one emptied.
        let zeros = "zeros-\(model).h5"
        try FileManager.default.copyItem(atPath: folder.path("masks.h5"), toPath: folder.path(zeros))
        try Self.clearMasks(folder.path(zeros))
        let runs = [
            ["--masks", zeros, "--lambda1", "10"], ["--masks", "masks.h5", "--lambda1", "0"], [],
            ["--masks", zeros, "--jobs", "1"],
        ]
        var weights: Set<Data> = []
        for (number, options) in runs.enumerated() {
            let run = "same-\(model)-\(number)"
            let outcome = try CommandLineTool.run(
                ["train", "decoy.h5", "--model", model, "--batch-size", "16", "--epochs", "2", "-o", run]
                    + options,
                in: folder.path)
            #expect(outcome.status == 0, "\(outcome.errors)")
            weights.insert(try Workshop.bytes("\(run)/weights.safetensors"))
        }
        #expect(weights.count == 1)
        #expect(try Workshop.run("validate", "decoy.h5", zeros).status == 0)
    }

    @Test("a run has the documented files, and its metrics and model follow their schemas")
    func runFolder() throws {
        let folder = try Workshop.shared.get()
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path("right")).sorted()
        #expect(
            names == [
                "SHA256SUMS", "config.json", "continuation", "metrics.csv", "metrics.jsonl", "model.json",
                "weights.safetensors",
            ])
        let model = try JSONValue(
            parsing: String(decoding: Workshop.bytes("right/model.json"), as: UTF8.self))
        #expect(JSONSchema.model.validate(model).isEmpty)
        let lines = try String(decoding: Workshop.bytes("right/metrics.jsonl"), as: UTF8.self)
            .split(separator: "\n").map { try JSONValue(parsing: String($0)) }
        // 120 training samples in batches of 16, and a line an epoch.
        #expect(lines.count == 2 * (8 + 1))
        #expect(lines.allSatisfy { JSONSchema.metrics.validate($0).isEmpty })
        let steps = lines.filter { $0["kind"] != "epoch" }
        for step in steps {
            let loss = try #require(step["loss"]?.doubleValue)
            let crossEntropy = try #require(step["cross_entropy"]?.doubleValue)
            let penalty = try #require(step["penalty"]?.doubleValue)
            #expect((loss - crossEntropy - penalty).magnitude < 1e-12 * loss)
        }
        #expect(steps.compactMap { $0["step"]?.integerValue } == Array(0..<16))
    }

    @Test("evaluate measures the test split, and the share of the gradient inside A where masks are given")
    func evaluate() throws {
        let plain = try Workshop.json("evaluate", "plain", "decoy.h5")
        #expect(plain["samples"] == 60)
        #expect(plain["explanation"] == nil)
        #expect(plain["per_class"]?.arrayValue?.count == 10)
        let confusion = try #require(plain["confusion"]?.arrayValue)
        let right = confusion.enumerated().reduce(0) {
            $0 + ($1.element.arrayValue?[$1.offset].integerValue ?? 0)
        }
        #expect(plain["accuracy"]?.doubleValue == Double(right) / 60)
        let all = try Workshop.json("evaluate", "plain", "decoy.h5", "--masks", "masks.h5", "--split", "all")
        #expect(all["samples"]?.integerValue == Workshop.sampleCount)
        let area = try #require(all["explanation"]?["mask_share_of_area"]?.doubleValue)
        #expect((area - 16.0 / 784).magnitude < 1e-12)
        let share = try #require(all["explanation"]?["gradient_share_inside_mask"]?.doubleValue)
        #expect(share > 0 && share < 1)
        let files = try Workshop.json(
            "evaluate", "decoy.h5", "--model", "plain/model.json", "--weights", "plain/weights.safetensors")
        #expect(files == plain)
    }

    @Test("make-masks marks K elements a sample, and a union keeps the older masks")
    func makeMasks() throws {
        let top = try Workshop.json(
            "make-masks", "decoy.h5", "--run", "plain", "--top-k", "64", "-o", "top.h5")
        #expect(top["annotated"]?.integerValue == Workshop.sampleCount)
        #expect(top["ones"]?.integerValue == 64 * Workshop.sampleCount)
        let joined = try Workshop.json(
            "make-masks", "decoy.h5", "--run", "plain", "--top-k", "64", "--union", "masks.h5", "-o",
            "joined.h5")
        let ones = try #require(joined["ones"]?.integerValue)
        #expect(ones > 64 * Workshop.sampleCount && ones <= 80 * Workshop.sampleCount)
        let part = try Workshop.json(
            "make-masks", "decoy.h5", "--run", "plain", "--threshold", "0.67", "--split", "test", "-o",
            "part.h5")
        #expect(part["samples"] == 60)
        #expect(part["annotated"] == 60)
        #expect(try Workshop.run("validate", "decoy.h5", "top.h5", "joined.h5", "part.h5").status == 0)
    }

    @Test("a stream of NPY arrays gives every sample once, and the same bytes again for the same seed")
    func npyStream() throws {
        let command = [
            "stream", "decoy.h5", "--masks", "masks.h5", "--batch-size", "7", "--shuffle", "--seed", "7",
            "--split", "all", "--format", "npy",
        ]
        let folder = try Workshop.shared.get().path
        let first = try CommandLineTool.run(command, in: folder)
        #expect(first.status == 0, "\(first.errors)")
        #expect(try CommandLineTool.run(command, in: folder).output == first.output)
        #expect(
            try CommandLineTool.run(command + ["--epochs", "2"], in: folder).output.count > first.output.count
        )
        let batches = (Workshop.sampleCount + 6) / 7
        // Four headers of 128 bytes a batch, then a float and a byte an element, and two integers a sample.
        let expected: Int = batches * 4 * 128 + Workshop.sampleCount * (784 * 5 + 16)
        #expect(first.output.count == expected)
    }

    private static func clearMasks(_ path: String) throws {
        try rewrite("/A", of: path, as: UInt8.self) { masks in
            for place in masks.indices { masks[place] = 0 }
        }
        let mask = [UInt8](repeating: 0, count: try HDF5File(reading: path).dataset("/A").elementsPerRow)
        let checksum = mask.withUnsafeBytes { CRC32.checksum(of: $0) }
        try rewrite("/checksum", of: path, as: UInt32.self) { checksums in
            for row in checksums.indices { checksums[row] = checksum }
        }
    }
}
