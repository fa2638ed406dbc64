import Foundation
import RRDatasets
import RRFormats
import RRSchemas
import RRTensor
import TestSupport
import Testing

@Suite("evaluate and make-masks at the command line")
struct EvaluateCommandTests {
    let folder: TemporaryFolder
    private static let fixture = Fixtures.path("reference/explanation")

    init() throws {
        folder = try TemporaryFolder()
        let arguments = [
            "import", "npy", "\(Self.fixture)/images.npy", "--labels", "\(Self.fixture)/labels.npy",
            "--masks",
            "\(Self.fixture)/masks.npy", "--masks-layout", "NHW", "--empty", "annotated", "--group",
            "\(Self.fixture)/groups.npy", "-o", "d.h5", "--masks-output", "m.h5",
        ]
        let outcome = try CommandLineTool.run(arguments, in: folder.path)
        #expect(outcome.status == 0, "\(outcome.errors)")
    }

    private var model: [String] {
        ["--model", "\(Self.fixture)/model.json", "--weights", "\(Self.fixture)/weights.safetensors"]
    }

    private func json(_ arguments: [String]) throws -> JSONValue {
        let outcome = try CommandLineTool.run(arguments + ["--json"], in: folder.path)
        #expect(outcome.status == 0, "\(outcome.errors)")
        return try JSONValue(parsing: outcome.text)
    }

    @Test("every figure is the one that NumPy finds", arguments: ["1", "3"])
    func figures(jobs: String) throws {
        let text = try String(contentsOfFile: Self.fixture + "/expected.json", encoding: .utf8)
        let expected = try JSONValue(parsing: text)
        let found = try json(
            ["evaluate", "d.h5", "--masks", "m.h5", "--precision", "double", "--top-k", "6", "--seed", "11"]
                + ["--lambda1", "2.5", "--jobs", jobs] + model)
        func compare(_ found: JSONValue?, _ expected: JSONValue?, _ name: String) throws {
            let (value, other) = (try #require(found?.doubleValue), try #require(expected?.doubleValue))
            #expect((value - other).magnitude <= 1e-11 * max(1, other.magnitude), "\(name)")
        }
        for name in ["samples", "accuracy", "cross_entropy"] {
            try compare(found[name], expected[name], name)
        }
        for name in ["worst_class", "worst_group"] {
            try compare(found[name]?["accuracy"], expected[name], name)
        }
        let groups = try #require(found["per_group"]?.arrayValue)
        #expect(groups.compactMap { $0["group"]?.integerValue } == [0, 1, 3])
        for group in groups {
            let name = try #require(group["name"]?.stringValue)
            try compare(group["accuracy"], expected["per_group"]?[name], name)
        }
        for (name, value) in try #require(expected["explanation"]?.objectValue) {
            try compare(found["explanation"]?[name], value, name)
        }
        try Self.expectAlike(found["accuracy_interval"], expected["accuracy_interval"], "accuracy_interval")
    }

    /// Compares all numbers of two values by name, of which the second says which there must be.
    private static func expectAlike(_ found: JSONValue?, _ expected: JSONValue?, _ name: String) throws {
        if let members = expected?.objectValue {
            for (member, value) in members { try expectAlike(found?[member], value, "\(name).\(member)") }
        } else if let elements = expected?.arrayValue {
            let others = try #require(found?.arrayValue, "\(name)")
            #expect(others.count == elements.count)
            for (one, other) in zip(others, elements) { try expectAlike(one, other, name) }
        } else {
            let (value, other) = (
                try #require(found?.doubleValue, "\(name)"), try #require(expected?.doubleValue)
            )
            #expect((value - other).magnitude <= 1e-11 * max(1, other.magnitude), "\(name)")
        }
    }

    @Test("the swap test is NumPy's, by group and by class", arguments: ["group", "class"], ["1", "3"])
    func swapTest(place: String, jobs: String) throws {
        let text = try String(contentsOfFile: Self.fixture + "/expected.json", encoding: .utf8)
        let expected = try JSONValue(parsing: text)["swap_tests"]?[place]
        let byClass = place == "class" ? ["--swap-place", place] : []
        let found = try json(
            ["evaluate", "d.h5", "--masks", "m.h5", "--precision", "double", "--seed", "11", "--jobs", jobs]
                + byClass + model)
        #expect(JSONSchema.evaluation.validate(found).isEmpty, "\(JSONSchema.evaluation.validate(found))")
        let test = found["explanation"]?["swap_test"]
        #expect(test?["place"] == .string(place))
        try Self.expectAlike(test, expected, "swap_test")
        let inside = try #require(expected?["inside"])
        #expect(inside["other"]?["flips"] != inside["same"]?["flips"])
        let without = try json(["evaluate", "d.h5", "--masks", "m.h5", "--no-swap-test"] + model)
        #expect(without["explanation"]?["swap_test"] == .null)
    }

    @Test(
        "deletion and insertion are NumPy's, with masks and without", arguments: [[], ["--masks", "m.h5"]])
    func curves(masks: [String]) throws {
        let text = try String(contentsOfFile: Self.fixture + "/expected.json", encoding: .utf8)
        let expected = try JSONValue(parsing: text)["curves"]
        let found = try json(["evaluate", "d.h5", "--precision", "double", "--curves", "7"] + masks + model)
        try Self.expectAlike(found["curves"], expected, "curves")
        #expect(JSONSchema.evaluation.validate(found).isEmpty, "\(JSONSchema.evaluation.validate(found))")
        #expect(try json(["evaluate", "d.h5"] + model)["curves"] == nil)
    }

    @Test("figures of classes have bounds that the seed decides, and none where nobody asks")
    func bounds() throws {
        let names = [
            "balanced_accuracy", "macro_f1", "auroc", "average_precision", "expected_calibration_error",
            "brier_score",
        ]
        let found = try (["1", "1", "2"]).map { try json(["evaluate", "d.h5", "--seed", $0] + model) }
        #expect(found[0] == found[1])
        for name in names {
            let value = try #require(found[0][name]?.doubleValue)
            let interval = try #require(found[0]["\(name)_interval"]?.arrayValue)
            let bounds = interval.compactMap(\.doubleValue)
            #expect(bounds.count == 2 && bounds[0] < bounds[1] && bounds[0] <= value + 0.05, "\(name)")
            #expect(found[2]["\(name)_interval"] != found[0]["\(name)_interval"], "\(name)")
        }
        let without = try json(["evaluate", "d.h5", "--bootstrap", "0"] + model)
        #expect(without["auroc"] == found[0]["auroc"] && without["auroc_interval"] == .null)
        let classes = try #require(found[0]["per_class"]?.arrayValue)
        #expect(classes.allSatisfy { $0["f1"]?.doubleValue != nil && $0["auroc"]?.doubleValue != nil })
    }

    @Test("another seed randomises to other values, and another k changes the intersection alone")
    func options() throws {
        let arguments = ["evaluate", "d.h5", "--masks", "m.h5", "--precision", "double"] + model
        let first = try #require(try json(arguments)["explanation"]?.objectValue)
        let second = try #require(try json(arguments + ["--top-k", "3"])["explanation"]?.objectValue)
        #expect(Set(first.keys.filter { first[$0] != second[$0] }) == ["top_k", "top_k_intersection"])
        #expect(first["penalty_to_cross_entropy"] == .null && first["lambda1"] == .null)
        let shares = try (0..<6).map { seed in
            try json(arguments + ["--seed", "\(seed)"])["explanation"]?["prediction_flips"]?.doubleValue
        }
        #expect(Set(shares).count > 1)
    }

    @Test("options that contradict each other, and weights that are not there, are refused")
    func refusals() throws {
        for (arguments, status, message) in [
            (["evaluate", "d.h5", "--top-k", "3"] + model, 64, "need --masks"),
            (["evaluate", "d.h5", "--bootstrap=-1"] + model, 64, "--bootstrap must be"),
            (["evaluate", "d.h5", "--curves", "0"] + model, 64, "--curves must be"),
            (["evaluate", "d.h5", "--target", "label"] + model, 64, "need --masks"),
            (["evaluate", "d.h5", "--no-swap-test"] + model, 64, "need --masks"),
            (
                ["evaluate", "d.h5", "--masks", "m.h5", "--no-swap-test", "--swap-place", "class"] + model,
                64,
                "--swap-place"
            ),
            (["make-masks", "d.h5", "--top-k", "3", "--seed", "1", "-o", "x"] + model, 64, "--smooth"),
            (
                ["make-masks", "d.h5", "--top-k", "3", "--smooth-noise", "1", "-o", "x"] + model, 64,
                "--smooth"
            ),
            (["evaluate", "d.h5", "--best"] + model, 64, "--best is for a run"),
            (["evaluate", "d.h5", "--masks", "m.h5", "--lambda1=-1"] + model, 64, "--lambda1"),
            (["evaluate", "d.h5", "--masks", "m.h5", "--top-k", "21"] + model, 64, "choose 1 to 20"),
            (["make-masks", "d.h5", "--top-k", "3", "--smooth", "0", "-o", "x"] + model, 64, "--smooth"),
            (
                ["make-masks", "d.h5", "--top-k", "3", "--per-class", "--target", "label", "-o", "x"] + model,
                64, "leave out --target"
            ),
        ] as [([String], Int32, String)] {
            let outcome = try CommandLineTool.run(arguments, in: folder.path)
            #expect(outcome.status == status && outcome.errors.contains(message), "\(outcome.errors)")
        }
        #expect(try folder.names() == ["d.h5", "m.h5"])
        let outcome = try Workshop.run("evaluate", "plain", "decoy.h5", "--best")
        #expect(outcome.status == 66 && outcome.errors.contains("best.safetensors"))
    }

    @Test("--best takes the weights of the best epoch")
    func best() throws {
        let workshop = try Workshop.shared.get().path
        let training = try CommandLineTool.run(
            ["train", "decoy.h5", "--model", "mlp", "--batch-size", "16", "--epochs", "3", "--validation"]
                + ["test", "-o", "validated"], in: workshop)
        #expect(training.status == 0, "\(training.errors)")
        let best = try Workshop.json("evaluate", "validated", "decoy.h5", "--best")
        let same = try Workshop.json(
            "evaluate", "decoy.h5", "--model", "validated/model.json", "--weights",
            "validated/best.safetensors")
        #expect(best == same)
        let lines = try String(decoding: Workshop.bytes("validated/metrics.jsonl"), as: UTF8.self)
            .split(separator: "\n").map { try JSONValue(parsing: String($0)) }
        let accuracies = lines.filter { $0["kind"] == "epoch" }
            .compactMap { $0["validation"]?["accuracy"]?.doubleValue }
        #expect(best["accuracy"]?.doubleValue == accuracies.max())
    }

    @Test("--gradients takes what another program computed, and says from what file")
    func gradients() throws {
        // The largest of sample n stands at n % 20, and that of sample 7 nowhere.
        let values = (0..<60 * 20).map { Float($0 / 20 == 7 ? 0 : $0 % 20 == $0 / 20 % 20 ? -3 : 1) }
        try folder.write(
            NPYHeader.bytes(shape: [60, 1, 4, 5], descriptor: "<f4")
                + values.withUnsafeBytes { Array($0) }, to: "g.npy")
        let command = ["make-masks", "d.h5", "--gradients", "g.npy"]
        let made = try json(command + ["--threshold", "0.5", "-o", "theirs.h5"])
        #expect(made["annotated"] == 59 && made["zero_gradient"] == 1 && made["ones"] == 59)
        #expect(try CommandLineTool.run(["validate", "d.h5", "theirs.h5"], in: folder.path).status == 0)
        let provenance = try json(["info", "theirs.h5"])["provenance"]
        #expect(provenance?["gradients"] == "g.npy" && provenance?["weights_sha256"] == nil)
        #expect(
            provenance?["gradients_sha256"] == .string(try SHA256Hasher.hash(ofFileAt: folder.path("g.npy"))))
        let masks = try MaskSet(path: folder.path("theirs.h5"), for: Dataset(path: folder.path("d.h5")))
        for sample in 0..<60 {
            let ones = (0..<20).filter { masks.bits[masks.rows[sample], $0] }
            #expect(ones == (sample == 7 ? [] : [sample % 20]))
        }
        for extra in [["--target", "label"], ["--per-class"], ["--smooth", "3"], ["--best"]] + [model] {
            let outcome = try CommandLineTool.run(
                command + ["--top-k", "3", "-o", "x.h5"] + extra, in: folder.path)
            #expect(outcome.status == 64 && outcome.errors.contains(extra[0]), "\(outcome.errors)")
        }
        for (file, status, hint) in [("no.npy", 66, "no.npy"), ("d.h5", 65, "one array")]
            as [(String, Int32, String)]
        {
            let outcome = try CommandLineTool.run(
                ["make-masks", "d.h5", "--gradients", file, "--top-k", "3", "-o", "x.h5"], in: folder.path)
            #expect(outcome.status == status && outcome.errors.contains(hint), "\(outcome.errors)")
        }
        #expect(try folder.names() == ["d.h5", "g.npy", "m.h5", "theirs.h5"])
    }

    @Test("--per-class makes a mask set for each class, and --force replaces such a folder only")
    func perClass() throws {
        let command = ["make-masks", "d.h5", "--top-k", "4", "--per-class", "-o", "classes"] + model
        let made = try json(command)
        #expect(made["classes"]?.arrayValue?.count == 3)
        let names = ["class-0.h5", "class-1.h5", "class-2.h5"]
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path("classes")).sorted() == names)
        let files = names.map { "classes/\($0)" }
        #expect(try CommandLineTool.run(["validate", "d.h5"] + files, in: folder.path).status == 0)
        let info = try json(["info", "classes/class-2.h5"])
        #expect(info["provenance"]?["class"] == 2 && info["provenance"]?["target"] == "class")
        #expect(try CommandLineTool.run(command, in: folder.path).status == 73)
        #expect(try CommandLineTool.run(command + ["--force"], in: folder.path).status == 0)
        try folder.write([1], to: "classes/mine.txt")
        #expect(try CommandLineTool.run(command + ["--force"], in: folder.path).status == 73)
    }
}
