import Foundation
import RRDatasets
import RRFormats
import RRNetworks
import RRSchemas
import RRStreaming
import RRTensor
import RRTraining
import TestSupport
import Testing

@Suite("A validation of another file, and the curves")
struct ValidationFileTests {
    private struct Stop: Error {}

    /// Writes a dataset of two samples of 2×2.
    static func dataset(
        _ path: String, elementType: ImageElementType = .uint8, pixels: [Float] = [0, 1, 2, 3],
        classNames: [String]? = nil, labels: [Int]? = [0, 1], splits: [String] = [], width: Int = 2
    ) throws -> Dataset {
        let shape = try ImageShape(channels: 1, height: 2, width: width)
        let writer = try DatasetWriter(
            path: path, force: false, sampleCount: 2, imageShape: shape, elementType: elementType,
            color: "gray", compression: .none)
        let values = Array(repeating: pixels, count: width / 2).flatMap { $0 }
        let bytes =
            elementType == .float32
            ? values.withUnsafeBytes { Array($0) } : values.map { UInt8($0) }
        for row in 0..<2 {
            try bytes.withUnsafeBytes {
                try writer.write(images: $0, rows: row..<row + 1, checksums: [CRC32.checksum(of: $0)])
            }
        }
        _ = try writer.complete(
            SampleTable(
                ids: ["a", "b"], labels: labels, classNames: classNames,
                splits: splits.isEmpty ? nil : [0, UInt8(splits.count - 1)], splitNames: splits),
            provenance: [:])
        try writer.output.commit()
        return try Dataset(path: path)
    }

    private func lines(_ path: String) throws -> [String] {
        try String(decoding: FileBytes.read(path), as: UTF8.self).split(separator: "\n").map(String.init)
    }

    @Test("every epoch is measured on the other file, whose fingerprint is stored")
    func otherFile() throws {
        let (shades, other) = (try TwoShades(), try TwoShades(seed: 2))
        var options = shades.options
        options.validation = other.dataset.path
        _ = try shades.train(options)
        let run = try Run(path: shades.folder.path("run"))
        let network = try Network<Float>(run.model)
        let expected = try Evaluation(
            network: network, parameters: run.parameters(of: network), dataset: other.dataset, masks: nil)
        let last = try JSONValue(parsing: #require(lines(shades.folder.path("run/metrics.jsonl")).last))
        let stated = try #require(last["validation"]?["cross_entropy"]?.doubleValue)
        #expect((stated - expected.crossEntropy).magnitude < 1e-5 * expected.crossEntropy)
        #expect(last["validation"]?["split"] == "all")
        let stored = try JSONValue(parsing: FileBytes.read(shades.folder.path("run/config.json")))["options"]
        #expect(try stored?["validation_fingerprint"] == .string(other.dataset.fingerprint))
        #expect(stored?["validation_file"] == .string(other.dataset.path))
    }

    @Test("the other file may move before a run is resumed, but not change")
    func resuming() throws {
        let (shades, other) = (try TwoShades(), try TwoShades(seed: 2))
        var options = shades.options
        options.validation = other.dataset.path
        let storage = RunStorage(output: shades.folder.path("run"), resumes: true)
        func train() throws -> TrainingSummary {
            try TrainingLoop(dataset: shades.dataset, masks: shades.masks, options: options)
                .run(storage) { if $0.firstStep == 0, $0.step == 20 { throw Stop() } }
        }
        #expect(throws: Stop.self) { try train() }
        let third = try TwoShades(seed: 3)
        options.validation = third.dataset.path
        let error = #expect(throws: TrainingError.self) { try train() }
        #expect(error?.place == .option(OptionName("validation")) && error?.code == .invalidOption)
        try FileManager.default.copyItem(
            atPath: other.dataset.path, toPath: shades.folder.path("moved.h5"))
        options.validation = shades.folder.path("moved.h5")
        #expect(try train().stepCount == 30)
    }

    @Test(
        "of the other file val is taken, else validation or test, else all",
        arguments: [
            (["train", "val"], "val"), (["test", "val"], "val"), (["test", "train"], "test"),
            (["extra", "validation"], "validation"), (["one", "two"], "all"), ([], "all"),
        ])
    func splits(names: [String], expected: String) throws {
        let folder = try TemporaryFolder()
        let training = try Self.dataset(folder.path("t.h5"))
        _ = try Self.dataset(folder.path("v.h5"), splits: names)
        var options = TrainingOptions(
            model: BuiltInModel.mlp.description(input: training.imageShape, classCount: 2),
            loss: LossOptions(lambda1: 0))
        options.stream.epochs = 1
        options.validation = folder.path("v.h5")
        _ = try TrainingLoop(dataset: training, masks: nil, options: options)
            .run(output: folder.path("run"), force: false) { _ in }
        let configuration = try JSONValue(parsing: FileBytes.read(folder.path("run/config.json")))
        #expect(configuration["options"]?["validation"] == .string(expected))
    }

    @Test("a split of the dataset comes before a file of its name")
    func splitFirst() throws {
        let folder = try TemporaryFolder()
        let training = try Self.dataset(folder.path("t.h5"), splits: ["train", "val"])
        var options = TrainingOptions(
            model: BuiltInModel.mlp.description(input: training.imageShape, classCount: 2),
            loss: LossOptions(lambda1: 0))
        options.stream.epochs = 1
        options.validation = "val"
        _ = try TrainingLoop(dataset: training, masks: nil, options: options)
            .run(output: folder.path("run"), force: false) { _ in }
        let stored = try JSONValue(parsing: FileBytes.read(folder.path("run/config.json")))["options"]
        #expect(stored?["validation"] == "val" && stored?["validation_fingerprint"] == .null)
    }

    @Test(
        "another file that does not fit is refused, and the message says why",
        arguments: ["labels", "shape", "names", "more", "count", "nothing", "text"])
    func misfits(kind: String) throws {
        let folder = try TemporaryFolder()
        let path = folder.path("v.h5")
        let hint: String
        switch kind {
        case "labels":
            _ = try Self.dataset(path, labels: nil)
            hint = "no labels"
        case "shape":
            _ = try Self.dataset(path, width: 4)
            hint = "(1, 2, 4)"
        case "names":
            _ = try Self.dataset(path, classNames: ["cat", "cow"])
            hint = "the class “cow”, which is none of"
        case "more":
            _ = try Self.dataset(path, classNames: ["cat", "dog", "eel"], labels: [0, 2])
            hint = "1 sample of the class “eel”"
        case "count":
            _ = try Self.dataset(path, labels: [0, 4])
            hint = "1 sample of the class 4"
        case "nothing": hint = "neither a split"
        default:
            try folder.write(Array("text".utf8), to: "v.h5")
            hint = "HDF5"
        }
        let training = try Self.dataset(
            folder.path("t.h5"), classNames: ["cat", "dog"], splits: ["train", "test"])
        var options = TrainingOptions(
            model: BuiltInModel.mlp.description(input: training.imageShape, classCount: 2),
            loss: LossOptions(lambda1: 0))
        options.validation = path
        let error = #expect(throws: (any Error).self) {
            try TrainingLoop(dataset: training, masks: nil, options: options)
        }
        #expect("\(try #require(error))".contains(hint), "\(error.debugDescription)")
        if kind == "nothing" { #expect("\(try #require(error))".contains("train, test")) }
        #expect(
            (error as? TrainingError)?.code
                == (kind == "nothing" ? .invalidOption : kind == "text" ? nil : .unsuitableDataset))
    }

    @Test("classes in another order are matched by name, and one without samples does not matter")
    func matchedClasses() throws {
        let folder = try TemporaryFolder()
        let training = try Self.dataset(folder.path("t.h5"), classNames: ["cat", "dog"])
        _ = try Self.dataset(folder.path("v.h5"), classNames: ["dog", "eel", "cat"], labels: [0, 2])
        var options = TrainingOptions(
            model: BuiltInModel.mlp.description(input: training.imageShape, classCount: 2),
            loss: LossOptions(lambda1: 0))
        options.stream.epochs = 1
        options.validation = folder.path("v.h5")
        let loop = try TrainingLoop(dataset: training, options: options)
        #expect(loop.notes.count == 1)
        #expect(try #require(loop.notes.first).description.contains("dog is 1, cat is 0"))
        _ = try loop.run(output: folder.path("run"))
        let run = try Run(path: folder.path("run"))
        let other = try Dataset(path: folder.path("v.h5"))
        let match = try run.matching(other).dataset
        #expect(match.labels == [1, 0] && match.classNames == ["cat", "dog"] && match.classCount == 2)
        #expect(try match.table().labels == [1, 0])
        #expect(try match.fingerprint == other.fingerprint && other.labels == [0, 2])
        let matched = try run.evaluate(other)
        #expect(matched.perClass.map(\.name) == ["cat", "dog"])
    }

    @Test("metrics.csv has the epochs' figures of metrics.jsonl, one row each")
    func curves() throws {
        let shades = try TwoShades()
        var options = shades.options
        options.validation = "all"
        _ = try shades.train(options)
        let rows = try lines(shades.folder.path("run/metrics.csv")).map {
            $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
        let epochs = try lines(shades.folder.path("run/metrics.jsonl"))
            .map { try JSONValue(parsing: $0) }.filter { $0["kind"] == "epoch" }
        #expect(rows.count == 6 && epochs.count == 5)
        #expect(rows.allSatisfy { $0.count == rows[0].count })
        for (row, epoch) in zip(rows.dropFirst(), epochs) {
            for (name, text) in zip(rows[0], row) {
                let expected: JSONValue?
                if name.hasPrefix("validation_") {
                    expected = epoch["validation"]?[String(name.dropFirst("validation_".count))]
                } else if name == "accuracy" {
                    #expect((Double(text) ?? -1) >= 0.4)
                    continue
                } else {
                    expected = epoch[name]
                }
                #expect(try #require(expected?.doubleValue) == Double(text), "\(name)")
            }
        }
        // Without a penalty and a validation there are empty fields.
        options.loss.lambda1 = .value(0)
        options.validation = nil
        _ = try shades.train(options)
        let plain = try lines(shades.folder.path("run/metrics.csv"))
        #expect(plain[1].hasSuffix(",,,,") && plain[1].contains(",,"))
    }

    @Test("metrics.csv of a resumed run has each epoch once, whatever came after the checkpoint")
    func resumedCurves() throws {
        let shades = try TwoShades()
        let options = shades.options
        let storage = RunStorage(output: shades.folder.path("run"), resumes: true)
        let loop = try TrainingLoop(dataset: shades.dataset, masks: shades.masks, options: options)
        #expect(throws: Stop.self) {
            try loop.run(storage) { if $0.step == 15 { throw Stop() } }
        }
        let path = shades.folder.path("run.unfinished/metrics.csv")
        #expect(try lines(path).count == 3)
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("2,6,48,0.1".utf8))
        try handle.close()
        _ = try loop.run(storage) { _ in }
        let rows = try lines(shades.folder.path("run/metrics.csv"))
        #expect(rows.count == 6)
        #expect(rows.dropFirst().map { $0.prefix(while: { $0 != "," }) } == ["0", "1", "2", "3", "4"])
    }
}
