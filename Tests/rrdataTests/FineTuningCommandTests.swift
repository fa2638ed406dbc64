import Foundation
import RRFormats
import RRNetworks
import RRSchemas
import RRTensor
import TestSupport
import Testing

/// A network that PyTorch trained and saved, fine-tuned with masks by one command.
@Suite("Fine-tuning a network of PyTorch's")
struct FineTuningCommandTests {
    private let folder: TemporaryFolder
    private let weights = Fixtures.path("reference/fine-tuning.pt")
    private let model: ModelDescription

    init() throws {
        folder = try TemporaryFolder()
        var generator = SplitMix64(seed: 4)
        for number in 0..<8 {
            // Of class a the upper half is bright, and of class b the lower.
            let samples = (0..<32 * 32 * 3).map { index in
                UInt8((index < 32 * 48) == (number < 4) ? 150 : 20) + UInt8(generator.next() % 80)
            }
            let image = PNGImage(width: 32, height: 32, channels: 3, bitDepth: 8, samples: samples)
            try folder.write(PNGEncoder.encode(image), to: "in/\(number < 4 ? "a" : "b")/\(number).png")
            let mask = PNGImage(
                width: 32, height: 32, channels: 1, bitDepth: 8,
                samples: (0..<1024).map { $0 % 32 < 8 ? 255 : 0 })
            try folder.write(PNGEncoder.encode(mask), to: "wrong/\(number < 4 ? "a" : "b")/\(number).png")
        }
        model = BuiltInModel.resnet18.description(
            input: try ImageShape(channels: 3, height: 32, width: 32), classCount: 2, width: 1 / 16)
        try folder.write(Array(JSONEncoder().encode(model)), to: "model.json")
        try run(["import", "pngs", "in", "-o", "d.h5", "--masks", "wrong", "--masks-output", "m.h5"])
    }

    @discardableResult
    private func run(_ arguments: [String], status: Int32 = 0) throws -> (text: String, errors: String) {
        let outcome = try CommandLineTool.run(arguments, in: folder.path)
        #expect(outcome.status == status, "\(arguments): \(outcome.errors)")
        return (outcome.text, outcome.errors)
    }

    private func tensors(_ name: String) throws -> [String: SafeTensor] {
        let tensors = try SafeTensorsFile.read(folder.path("\(name)/weights.safetensors"))
        return Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0) })
    }

    @Test("one command draws the head anew and trains it, then all; the names stay those of the state dict")
    func fineTuning() throws {
        let options = [
            "--model", "model.json", "--init", weights, "--normalize", "imagenet", "--batch-size", "4",
            "--learning-rate", "1e-4", "--head-learning-rate", "1e-2",
        ]
        let errors = try run(
            [
                "train", "d.h5", "--masks", "m.h5", "--lambda1", "1", "--epochs", "1", "--freeze", "backbone",
                "-o", "head",
            ]
                + options
        ).errors
        #expect(errors.contains("the head, fc, is drawn anew"), "\(errors)")
        #expect(errors.contains("has the shape (3, 32), and the model has 2 classes"), "\(errors)")
        try run(
            [
                "train", "d.h5", "--masks", "m.h5", "--lambda1", "1", "--epochs", "2", "--freeze", "..layer3",
                "--unfreeze-after", "1", "-o", "all",
            ] + options)

        let start = try StateDictFile.read(weights)[0]
        let names = start.entries.map(\.name).filter { !$0.hasSuffix("num_batches_tracked") }
        let (head, all) = (try tensors("head"), try tensors("all"))
        #expect(Set(head.keys) == Set(names) && Set(all.keys) == Set(names))
        for (entry, tensor) in zip(start.entries, try start.tensors(named: start.entries.map(\.name)))
        where head[entry.name] != nil && !entry.name.hasPrefix("fc.") {
            #expect(head[entry.name]?.bytes == tensor.bytes, "\(entry.name) was frozen")
            let isStatistic = entry.name.contains("running_")
            #expect((all[entry.name]?.bytes == tensor.bytes) == isStatistic, "\(entry.name)")
        }
        let configuration = try JSONValue(parsing: FileBytes.read(folder.path("all/config.json")))
        #expect(configuration["options"]?["unfreeze_after"] == 1)
        #expect(configuration["options"]?["head_learning_rate"] == 0.01)
        #expect(configuration["normalization"]?["means"]?.arrayValue?.count == 3)
        try run(["evaluate", "all", "d.h5", "--masks", "m.h5"])
        try run(["validate", "all"])
    }

    @Test(
        "the command that the article on networks shows runs, with a narrow network in the place of ResNet-18"
    )
    func readme() throws {
        let article = Fixtures.path("../Sources/RRTraining/RRTraining.docc/Networks.md")
        let text = try String(contentsOf: URL(filePath: article), encoding: .utf8)
        let block = try #require(
            text.components(separatedBy: "```console\n").first { $0.contains("--init birds.pth") })
        let command = (block.components(separatedBy: "\n```").first ?? "").replacing("\\\n", with: " ")
        let names = [
            "photos.h5": "d.h5", "masks.h5": "m.h5", "resnet18": "model.json", "birds.pth": weights,
        ]
        let words = command.split(separator: " ").map { names[String($0)] ?? String($0) }
        #expect(words.first == "rrdata" && names.values.allSatisfy(words.contains))
        try run(Array(words.dropFirst()))
        let start = try StateDictFile.read(weights)[0].entries.map(\.name)
        #expect(try Set(tensors("run").keys) == Set(start.filter { !$0.hasSuffix("num_batches_tracked") }))
    }

    @Test("a head that is to be kept must fit, and options that need others say so")
    func refusals() throws {
        let training = ["train", "d.h5", "--model", "model.json", "--epochs", "1", "-o", "run"]
        #expect(try run(training + ["--init", weights, "--head", "keep"], status: 65).errors.contains("fc."))
        #expect(try run(training + ["--head", "new"], status: 64).errors.contains("--init"))
        #expect(try run(training + ["--unfreeze-after", "1"], status: 64).errors.contains("--freeze"))
        #expect(try run(training + ["--freeze", "layer9"], status: 64).errors.contains("layer4.1"))
        #expect(try run(training + ["--freeze", "cnv1"], status: 64).errors.contains("did you mean “conv1”"))
        let attribution = training + ["--masks", "m.h5", "--attribution", "gradcam:layr1"]
        #expect(try run(attribution, status: 64).errors.contains("did you mean “layer1”"))
        #expect(
            try run(training + ["--head-learning-rate", "-1"], status: 64).errors.contains(
                "--head-learning-rate"))
        #expect(
            try run(["train", "d.h5", "--model", "resnet18", "--epochs", "0", "-o", "run"], status: 64).errors
                .contains("--epochs"))
    }

    @Test("info lists the nodes of a network by its name, and of a model.json")
    func info() throws {
        let named = try JSONValue(parsing: run(["info", "resnet18", "--json"]).text)
        #expect(named["trained_parameters"] == 11_689_512)
        // torchvision states 1.81 billion multiply-adds.
        let flop = try #require(named["flop"]?.integerValue)
        #expect((Double(flop) / 2 / 1.814e9 - 1).magnitude < 1e-3, "\(flop)")
        let first = try #require(named["nodes"]?.arrayValue?.first)
        #expect(first["output"] == [64, 112, 112] && first["parameters"] == 9408)
        #expect(first["layer"] == "conv2d" && first["place"] == "layers[0]")
        let file = try JSONValue(parsing: run(["info", "model.json", "--json"]).text)
        #expect(file["nodes"]?.arrayValue?.last?["output"] == [2])
        #expect(try run(["info", "resnet18"]).text.contains("flop: "))
        try run(["info", "resnet19"], status: 66)
    }
}
