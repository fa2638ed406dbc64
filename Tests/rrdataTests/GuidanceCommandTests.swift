import Foundation
import RRSchemas
import TestSupport
import Testing

@Suite("rrdata train --guidance")
struct GuidanceCommandTests {
    private func folder() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        for name in ["decoy.h5", "masks.h5"] {
            try FileManager.default.copyItem(
                atPath: Workshop.shared.get().path(name), toPath: folder.path(name))
        }
        return folder
    }

    private func train(_ line: String, in folder: TemporaryFolder) throws -> ChildProcess.Outcome {
        try CommandLineTool.run(
            ["train", "decoy.h5", "--model", "mlp", "--batch-size", "16", "--epochs", "2"]
                + line.split(separator: " ").map(String.init), in: folder.path)
    }

    @Test(
        "each guidance trains, and config.json says which and how",
        arguments: [
            ("", "rrr", JSONValue.null, nil as Double?),
            ("--guidance augment", "augment", .null, 1),
            (
                "--guidance augment --augment-fill swap --augment-share 0.5 --consistency 0.1", "augment",
                .null, 1
            ),
            ("--guidance augment --augment-fill swap --augment-place instead", "augment", .null, 1),
            ("--guidance consistency --augment-fill swap", "consistency", .null, 1),
            ("--guidance pgd --pgd-radius 0.5", "pgd", .number(2.5 * 0.5 / 7), 1),
            ("--guidance pgd --pgd-steps 2 --pgd-step-size 0.2 --lambda1 3", "pgd", 0.2, 3),
        ])
    func trains(line: String, name: String, stepSize: JSONValue, lambda1: Double?) throws {
        let folder = try folder()
        let outcome = try train("--masks masks.h5 --annotated-fraction 1 -o run \(line)", in: folder)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let stored = try JSONValue(
            parsing: String(contentsOf: URL(filePath: folder.path("run/config.json")), encoding: .utf8))[
                "options"]
        #expect(stored?["guidance"] == .string(name) && stored?["pgd_step_size"] == stepSize)
        #expect(stored?["annotated_fraction"]?.doubleValue == 1)
        if let lambda1 { #expect(stored?["lambda1"]?.doubleValue == lambda1) }
        #expect(try CommandLineTool.run(["validate", "run"], in: folder.path).status == 0)
    }

    @Test("how images are changed is recorded")
    func counterexamples() throws {
        let folder = try folder()
        let outcome = try train(
            "--masks masks.h5 -o run --guidance consistency --augment-fill swap --augment-share 0.75",
            in: folder)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(!outcome.errors.contains("half of every batch"))
        let stored = try JSONValue(
            parsing: String(contentsOf: URL(filePath: folder.path("run/config.json")), encoding: .utf8))[
                "options"]
        #expect(stored?["augment_fill"] == "swap" && stored?["augment_share"] == 0.75)
        #expect(stored?["consistency"]?.doubleValue == 1 && stored?["annotated_fraction"] == .null)
    }

    @Test(
        "the options of other guidances are refused",
        arguments: [
            "--augment-fill swap", "--guidance pgd --augment-place instead", "--augment-share 0.5",
            "--guidance input-gradient --lambda1 1 --consistency 1",
        ])
    func otherGuidance(line: String) throws {
        let outcome = try train("--masks masks.h5 -o run \(line)", in: folder())
        #expect(outcome.status == 64 && outcome.errors.contains("go with --guidance augment or"))
    }

    @Test("the input gradient's guidance needs no masks")
    func inputGradient() throws {
        let folder = try folder()
        let outcome = try train("--guidance input-gradient --lambda1 0.1 -o run --json", in: folder)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect((try JSONValue(parsing: outcome.text)["penalty"]?.doubleValue ?? 0) > 0)
    }

    @Test(
        "a loss that is no longer finite ends with 65, names the step and what to try, and overwrites nothing",
        arguments: [
            "--masks masks.h5 --lambda1 1", "--masks masks.h5 --guidance augment",
            "--masks masks.h5 --guidance pgd --pgd-steps 2", "--guidance input-gradient --lambda1 1",
        ])
    func divergence(line: String) throws {
        let folder = try folder()
        let kept = try train("--lambda1 0 -o run", in: folder)
        #expect(kept.status == 0)
        let before = try Data(contentsOf: URL(filePath: folder.path("run/weights.safetensors")))
        let outcome = try train(
            "\(line) --optimizer sgd --learning-rate 1e20 --resume --force -o run", in: folder)
        #expect(outcome.status == 65)
        for hint in ["step ", "last good checkpoint", "--init", "--learning-rate", "--lambda1"] {
            #expect(outcome.errors.contains(hint), "\(outcome.errors)")
        }
        #expect(try Data(contentsOf: URL(filePath: folder.path("run/weights.safetensors"))) == before)
        #expect(try folder.names() == ["decoy.h5", "masks.h5", "run", "run.unfinished"])
        // The checkpoint that is named starts the run that goes better.
        let again = try train(
            "\(line) --init run.unfinished/checkpoint/weights-0.safetensors --force -o run", in: folder)
        #expect(again.status == 0, "\(again.errors)")
        #expect(try folder.names() == ["decoy.h5", "masks.h5", "run"])
    }

    @Test("where λ1 is chosen automatically, a loss that is no longer finite ends with 65 too")
    func automaticDivergence() throws {
        let folder = try folder()
        let outcome = try train(
            "--masks masks.h5 --optimizer sgd --learning-rate 1e20 --resume -o run", in: folder)
        #expect(outcome.status == 65)
        for hint in ["step ", "no checkpoint", "--learning-rate", "--lambda1 auto"] {
            #expect(outcome.errors.contains(hint), "\(outcome.errors)")
        }
        #expect(try folder.names() == ["decoy.h5", "masks.h5"])
    }

    @Test("λ1 R / CE is told of runs that weighed that R, or where --lambda1 says so")
    func ratio() throws {
        let folder = try folder()
        for (line, isKnown) in [
            ("--lambda1 1", true), ("--lambda1 1 --penalty-target label", false),
            ("--guidance augment", false),
        ] {
            #expect(try train("--masks masks.h5 --force -o run \(line)", in: folder).status == 0)
            func explanation(_ extra: [String] = []) throws -> JSONValue? {
                let outcome = try CommandLineTool.run(
                    ["evaluate", "run", "decoy.h5", "--masks", "masks.h5", "--json"] + extra, in: folder.path)
                return try JSONValue(parsing: outcome.text)["explanation"]
            }
            #expect((try explanation()?["penalty_to_cross_entropy"] == .null) == !isKnown)
            #expect(try explanation(["--lambda1", "2"])?["penalty_to_cross_entropy"]?.doubleValue != nil)
            if line.contains("label") {
                let ofTarget = try explanation(["--target", "label"])
                #expect(ofTarget?["lambda1"]?.doubleValue == 1)
            }
        }
    }

    @Test(
        "what does not go together ends with 64 and names the option",
        arguments: [
            ("--guidance augment", "--masks"), ("--guidance pgd", "--masks"),
            ("--guidance input-gradient", "--lambda1"),
            ("--guidance input-gradient --lambda1 1 --masks masks.h5", "--penalty-target label"),
            ("--guidance augment --masks masks.h5 --lambda1 auto", "--lambda1"),
            ("--guidance pgd --masks masks.h5 --penalty-target label", "--penalty-target"),
            ("--guidance augment --masks masks.h5 --pgd-steps 3", "--guidance pgd"),
            ("--pgd-radius 1", "--guidance pgd"),
            ("--guidance pgd --masks masks.h5 --pgd-steps 0", "--pgd-steps"),
            ("--annotated-fraction 0.5", "--masks"),
            ("--masks masks.h5 --annotated-fraction 0.5 --no-shuffle", "--no-shuffle"),
            ("--masks masks.h5 --annotated-fraction 2", "--annotated-fraction"),
            ("--masks masks.h5 --collect-masks masks.h5 --top-k 3 --force", "--masks"),
            ("--masks masks.h5 --collect-masks ./masks.h5 --top-k 3 --resume", "--masks"),
            ("--masks masks.h5 --collect-masks m.h5 --top-k 3 --augment hflip", "--collect-masks"),
            ("--penalty-reduction sum", "--masks"), ("--penalty-target label", "--masks"),
            ("--attribution gradcam", "--masks"), ("--masks masks.h5 --attribution cam", "gradcam[:LAYER]"),
            ("--masks masks.h5 --attribution gradcam", "none of its layers"),
            ("--masks masks.h5 --attribution input-times-gradient:0", "gradcam[:LAYER]"),
            ("--masks masks.h5 --guidance augment --attribution gradcam", "--guidance rrr"),
            ("--masks masks.h5 --attribution gradcam --collect-masks m.h5 --top-k 3", "make-masks"),
            ("--best-metric accuracy", "--validation"), ("--schedule-factor 0.5", "--schedule step"),
            ("--validation nothing", "neither a split"), ("--guidance mask", "rrr"),
        ])
    func usage(line: String, hint: String) throws {
        let folder = try folder()
        let outcome = try train("\(line) -o run", in: folder)
        #expect(outcome.status == 64)
        #expect(outcome.errors.contains(hint), "\(outcome.errors)")
        #expect(try folder.names() == ["decoy.h5", "masks.h5"])
    }

    @Test("a validation that does not fit ends with 65")
    func validation() throws {
        let folder = try folder()
        let made = try CommandLineTool.run(
            ["import", "pngs", Workshop.shared.get().path("images"), "--size", "14x14", "-o", "small.h5"],
            in: folder.path)
        #expect(made.status == 0, "\(made.errors)")
        let outcome = try train("--validation small.h5 -o run", in: folder)
        #expect(outcome.status == 65 && outcome.errors.contains("(1, 14, 14)"), "\(outcome.errors)")
        let fitting = try train("--validation masks.h5 -o run", in: folder)
        #expect(fitting.status == 65, "\(fitting.errors)")
        let other = try train(
            "--validation \(Workshop.shared.get().path("fashion.h5")) -o run --json", in: folder)
        #expect(other.status == 0, "\(other.errors)")
        #expect((try JSONValue(parsing: other.text)["best"]?["value"]?.doubleValue ?? 0) > 0)
    }
}
