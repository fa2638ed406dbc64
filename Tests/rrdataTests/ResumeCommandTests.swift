import Foundation
import RRSchemas
import TestSupport
import Testing

@Suite("Stopping and resuming rrdata train")
struct ResumeCommandTests {
    private static let options = [
        "train", "decoy.h5", "--masks", "masks.h5", "--lambda1", "1", "--model", "mlp", "--batch-size", "4",
        "--epochs", "4", "--schedule", "cosine", "--checkpoint-every", "0", "--resume",
    ]

    private func folder() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        for name in ["decoy.h5", "masks.h5"] {
            try FileManager.default.copyItem(
                atPath: Workshop.shared.get().path(name), toPath: folder.path(name))
        }
        return folder
    }

    private func start(in folder: TemporaryFolder) throws -> Process {
        let process = Process()
        process.executableURL = URL(filePath: CommandLineTool.path)
        process.arguments = Self.options + ["-o", "run"]
        process.currentDirectoryURL = URL(filePath: folder.path)
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        return process
    }

    private func weights(_ folder: TemporaryFolder, _ run: String) throws -> Data {
        try Data(contentsOf: URL(filePath: folder.path("\(run)/weights.safetensors")))
    }

    /// The steps in the checkpoint; nil before the first.
    private func step(_ folder: TemporaryFolder) -> Int? {
        guard
            let data = FileManager.default.contents(
                atPath: folder.path("run.unfinished/checkpoint/state.json")),
            let state = try? JSONValue(parsing: String(decoding: data, as: UTF8.self))
        else { return nil }
        return state["step"]?.integerValue
    }

    @Test("kill -9 and Ctrl-C at some moments, then --resume: the weights of a run that never stopped")
    func stopped() throws {
        let folder = try folder()
        let whole = try CommandLineTool.run(Self.options + ["-o", "whole"], in: folder.path)
        #expect(whole.status == 0, "\(whole.errors)")
        // Past the start, the first epoch's end and the middle.
        for (number, signal) in [(1, SIGKILL), (40, SIGINT), (75, SIGKILL)] {
            let process = try start(in: folder)
            while process.isRunning, (step(folder) ?? 0) < number { usleep(2_000) }
            kill(process.processIdentifier, signal)
            process.waitUntilExit()
            if signal == SIGINT { #expect(process.terminationStatus == 130) }
            #expect((step(folder) ?? 0) >= number)
            #expect(!FileManager.default.fileExists(atPath: folder.path("run")))
        }
        let refused = try CommandLineTool.run(
            Self.options.dropLast() + ["-o", "run"], in: folder.path)
        #expect(refused.status == 73 && refused.errors.contains("--resume"), "\(refused.errors)")
        let other = try CommandLineTool.run(
            Self.options + ["--weight-decay", "0.1", "-o", "run"], in: folder.path)
        #expect(other.status == 64 && other.errors.contains("--weight-decay"), "\(other.errors)")

        let resumed = try CommandLineTool.run(Self.options + ["-o", "run"], in: folder.path)
        #expect(resumed.status == 0, "\(resumed.errors)")
        #expect(try weights(folder, "run") == weights(folder, "whole"))
        #expect(try CommandLineTool.run(["validate", "run"], in: folder.path).status == 0)
        #expect(!FileManager.default.fileExists(atPath: folder.path("run.unfinished")))
    }

    @Test("one process at a time trains a run, and the other is told which")
    func twoAtOnce() throws {
        let folder = try folder()
        let first = try start(in: folder)
        while first.isRunning, step(folder) == nil { usleep(2_000) }
        for options in [Self.options, Array(Self.options.dropLast())] {
            let second = try CommandLineTool.run(options + ["-o", "run", "--force"], in: folder.path)
            guard first.isRunning else { break }
            #expect(second.status == 73)
            #expect(
                second.errors.contains(
                    "another process is training this run (process \(first.processIdentifier))"))
        }
        first.waitUntilExit()
        #expect(first.terminationStatus == 0)
        #expect(try CommandLineTool.run(["validate", "run"], in: folder.path).status == 0)
    }

    @Test(
        "a run that was killed in its last moment is finished by --resume, and one before its first is begun anew"
    )
    func lastMoment() throws {
        let folder = try folder()
        let process = try start(in: folder)
        while process.isRunning, (step(folder) ?? 0) < 60 { usleep(2_000) }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        let checkpoint = folder.path("run.unfinished/checkpoint")
        try FileManager.default.copyItem(atPath: checkpoint, toPath: folder.path("checkpoint"))
        let command = Self.options + ["-o", "run"]
        #expect(try CommandLineTool.run(command, in: folder.path).status == 0)
        let whole = try weights(folder, "run")
        // The run has its name, and its checkpoint still.
        try FileManager.default.moveItem(
            atPath: folder.path("checkpoint"), toPath: folder.path("run/checkpoint"))
        let again = try CommandLineTool.run(command, in: folder.path)
        #expect(again.status == 0, "\(again.errors)")
        #expect(try weights(folder, "run") == whole)
        #expect(!FileManager.default.fileExists(atPath: folder.path("run/checkpoint")))
        #expect(!FileManager.default.fileExists(atPath: folder.path("run.unfinished")))

        // Before the first checkpoint there is nothing to go on with.
        for options in [Self.options, Array(Self.options.dropLast())] {
            try folder.write([], to: "new.unfinished/metrics.jsonl")
            let begun = try CommandLineTool.run(options + ["-o", "new"], in: folder.path)
            #expect(begun.status == 0, "\(begun.errors)")
            #expect(try weights(folder, "new") == whole)
            try FileManager.default.removeItem(atPath: folder.path("new"))
        }
    }

    @Test("a disk that is full ends with 73, and the run goes on once there is room")
    func fullDisk() throws {
        let folder = try folder()
        // A file may have 20 blocks of 1,024 bytes: the metrics soon need more. The weights of this model fit.
        let arguments = (Self.options + ["-o", "run"]).map { $0 == "mlp" ? "small.json" : $0 }
        try folder.write(
            Array(
                #"""
                {"format": "rrdata.model", "format_version": "1.0", "input": [1, 28, 28], "classes": 10,
                 "layers": [{"maxpool2d": {"kernel": 4}}, "flatten", {"linear": {"out": 10}}]}
                """#.utf8), to: "small.json")
        let command = ([CommandLineTool.path] + arguments).joined(separator: " ")
        let full = try ChildProcess.run(
            "/bin/bash", ["-c", "ulimit -f 20; exec \(command)"], in: folder.path)
        #expect(full.status == 73, "\(full.errors)")
        #expect(full.errors.contains("run.unfinished") && full.errors.contains("--resume"))
        let resumed = try CommandLineTool.run(arguments, in: folder.path)
        #expect(resumed.status == 0, "\(resumed.errors)")
        let small = try CommandLineTool.run(
            arguments.dropLast() + ["small"], in: folder.path)
        #expect(small.status == 0)
        #expect(try weights(folder, "run") == weights(folder, "small"))
    }

    @Test("a loss that is no longer finite ends with 65, names the step and what to try")
    func divergence() throws {
        let folder = try folder()
        let outcome = try CommandLineTool.run(
            [
                "train", "decoy.h5", "--model", "mlp", "--optimizer", "sgd", "--learning-rate", "1e20",
                "--resume", "-o", "run",
            ], in: folder.path)
        #expect(outcome.status == 65)
        for hint in ["step ", "last good checkpoint", "--init", "--clip-norm"] {
            #expect(outcome.errors.contains(hint), "\(outcome.errors)")
        }
        #expect(!FileManager.default.fileExists(atPath: folder.path("run")))
    }

    @Test("elsewhere than on a terminal, progress is a plain line an epoch")
    func progress() throws {
        let folder = try folder()
        let outcome = try CommandLineTool.run(
            ["train", "decoy.h5", "--model", "mlp", "--epochs", "3", "-o", "run", "--json"],
            in: folder.path)
        let lines = outcome.errors.split(separator: "\n")
        #expect(lines.count == 3 && lines[2].hasPrefix("epoch 3/3  step 3/3  "), "\(outcome.errors)")
        #expect(!outcome.errors.contains("\u{1B}") && !outcome.errors.contains("\r"))
        #expect(try JSONValue(parsing: outcome.text)["epochs"] == 3)
    }

    @Test(
        "what does not go together ends with 64 and names the option",
        arguments: [
            ("--top-k 3", "--collect-masks"), ("--collect-masks m.h5", "--top-k"),
            ("--collect-masks m.h5 --top-k 3 --threshold 0.5", "--top-k"),
            ("--collect-masks m.h5 --top-k 785", "785"), ("--patience 3", "--validation"),
            ("--freeze 9", "--freeze"), ("--schedule step", "--schedule-epochs"),
            ("--checkpoint-every -1", "--checkpoint-every"), ("--class-weights 1,2", "--class-weights"),
        ])
    func usage(line: String, hint: String) throws {
        let folder = try folder()
        let outcome = try CommandLineTool.run(
            ["train", "decoy.h5", "--model", "mlp", "-o", "run"]
                + line.split(separator: " ").map(String.init),
            in: folder.path)
        #expect(outcome.status == 64)
        #expect(outcome.errors.contains(hint), "\(outcome.errors)")
        #expect(try folder.names() == ["decoy.h5", "masks.h5"])
    }
}
