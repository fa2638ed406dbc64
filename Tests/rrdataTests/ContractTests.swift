import Foundation
import RRDatasets
import RRFormats
import RRPreparation
import RRSchemas
import RRTensor
import TestSupport
import Testing

@Suite("The command line's contract")
struct ContractTests {
    static let commands = [
        ["import", "pngs"], ["import", "hdf5"], ["import", "npy"], ["import", "npz"], ["import", "idx"],
        ["import", "masks"], ["export", "pngs"], ["export", "npy"], ["export", "hdf5"],
        ["export", "webdataset"], ["decoy"], ["toy-colors"], ["validate"], ["info"], ["preview"], ["stream"],
        ["train"],
        ["evaluate"], ["compare"], ["report"], ["make-masks"], ["find-another"], ["sweep"],
    ]

    @Test("every command's help has an example", arguments: commands)
    func help(command: [String]) throws {
        let outcome = try CommandLineTool.run(command + ["--help"], in: "/")
        #expect(outcome.status == 0)
        #expect(outcome.text.contains("Example"))
        #expect(outcome.text.contains("  rrdata \(command.joined(separator: " ")) "))
    }

    @Test("the help lists the commands that work, and no other")
    func root() throws {
        let help = try CommandLineTool.run(["--help"], in: "/").text
        let listed = help.components(separatedBy: "SUBCOMMANDS:")[1].split(separator: "\n")
            .filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") && !$0.contains("See '") }.compactMap {
                $0.split(separator: " ").first
            }
        #expect(
            listed == [
                "import", "export", "decoy", "toy-colors", "validate", "info", "preview", "stream", "train",
                "evaluate",
                "compare", "report", "make-masks", "find-another", "sweep",
            ])
        #expect(try CommandLineTool.run(["--version"], in: "/").text.hasPrefix("rrdata "))
    }

    @Test(
        "wrong usage ends with 64 and names the option",
        arguments: [
            ("frobnicate", "frobnicate"), ("train decoy.h5 -o x", "--model"),
            ("train decoy.h5 --model mlp --lambda1 1 -o x", "--masks"),
            ("train decoy.h5 --model mlp --lambda1 -1 -o x", "--lambda1"),
            ("train decoy.h5 --masks masks.h5 --model mlp --lambda1 nan -o x", "--lambda1"),
            ("train decoy.h5 --model mlp --batch-size 0 -o x", "--batch-size"),
            ("train decoy.h5 --model mlp --epochs 0 -o x", "--epochs"),
            ("train decoy.h5 --model mlp --momentum 0.9 -o x", "--momentum"),
            ("train decoy.h5 --model mlp --jobs 0 -o x", "--jobs"),
            ("train decoy.h5 --model mlp --split dev -o x", "train"),
            ("stream decoy.h5 --batch-size 8 --format npy --json", "--json"),
            ("stream decoy.h5 --batch-size 0 --format null", "--batch-size"),
            ("make-masks decoy.h5 --run plain -o x.h5", "--top-k"),
            ("make-masks decoy.h5 --run plain --top-k 3 --threshold 0.5 -o x.h5", "--top-k"),
            ("make-masks decoy.h5 --run plain --top-k 785 -o x.h5", "785"),
            ("make-masks decoy.h5 --top-k 3 -o x.h5", "--weights"),
            ("evaluate decoy.h5", "run folder"),
            ("decoy fashion.h5 -o x.h5 --masks-output y.h5 --random-split dev --seed 0", "dev"),
            ("toy-colors -o x.h5 --corner-masks-output y.h5 --top-masks-output z.h5 --train 0", "--train"),
            ("toy-colors -o x.h5 --corner-masks-output y.h5 --top-masks-output y.h5", "--top-masks-output"),
            ("find-another decoy.h5 --model mlp --rounds 0 -o x", "--rounds"),
            ("find-another decoy.h5 --model mlp --lambda1 0 -o x", "--lambda1"),
            ("find-another decoy.h5 --model mlp --threshold 1 -o x", "threshold"),
            ("find-another decoy.h5 --model mlp --judge dev -o x", "test, train"),
            ("find-another decoy.h5 -o x", "--model"),
            ("sweep decoy.h5 --masks masks.h5 --model mlp --held-out-share 1 -o x", "--held-out-share"),
            ("sweep decoy.h5 --masks masks.h5 --model mlp --ways swap,swap -o x", "--ways"),
            ("sweep decoy.h5 --model mlp -o x", "--masks"),
            ("export pngs decoy.h5 -o x --masks-output y", "--masks"),
            ("export pngs decoy.h5 -o x --jobs 0", "--jobs"),
            ("export npy decoy.h5 -o x --split dev", "dev"),
            ("export hdf5 decoy.h5 -o x --layout NWHC", "--layout"),
            ("export webdataset decoy.h5 -o x --samples-per-shard 0", "--samples-per-shard"),
            ("validate plain masks.h5", "dataset"),
        ])
    func usage(line: String, hint: String) throws {
        let outcome = try CommandLineTool.run(
            line.split(separator: " ").map(String.init), in: Workshop.shared.get().path)
        #expect(outcome.status == 64)
        #expect(outcome.errors.contains(hint), "\(outcome.errors)")
        #expect(outcome.output.isEmpty)
    }

    @Test(
        "a missing input ends with 66 and is named",
        arguments: [
            "info no.h5", "validate no.h5", "validate decoy.h5 no.h5",
            "stream no.h5 --batch-size 8 --format null",
            "train no.h5 --model mlp -o x", "train decoy.h5 --masks no.h5 --model mlp -o x",
            "train decoy.h5 --model no.json -o x", "train decoy.h5 --model mlp --init no.safetensors -o x",
            "sweep no.h5 --masks masks.h5 --model mlp -o x", "find-another no.h5 --model mlp -o x",
            "find-another decoy.h5 --model no.json -o x",
            "find-another decoy.h5 --model mlp --init no.safetensors -o x",
            "evaluate no decoy.h5", "make-masks decoy.h5 --run no --top-k 3 -o x.h5",
            "import pngs no -o x.h5", "export pngs no.h5 -o x", "export npy decoy.h5 --masks no.h5 -o x",
            "export hdf5 no.h5 -o x", "export webdataset no.h5 -o x",
            "import hdf5 no.h5 --images /images -o x.h5", "import npy no.npy -o x.h5",
            "import npz no.npz -o x.h5", "import idx no.gz -o x.h5",
            "import hdf5 decoy.h5 --images /no -o x.h5", "import masks no --for decoy.h5 -o x.h5",
            "import masks images --for no.h5 -o x.h5",
            "decoy no.h5 -o x.h5 --masks-output y.h5 --seed 0",
        ])
    func missingInput(line: String) throws {
        let outcome = try CommandLineTool.run(
            line.split(separator: " ").map(String.init), in: Workshop.shared.get().path)
        #expect(outcome.status == 66)
        #expect(outcome.errors.contains("no"), "\(outcome.errors)")
        #expect(!FileManager.default.fileExists(atPath: try Workshop.shared.get().path("x")))
    }

    @Test(
        "an output that exists ends with 73 and stays as it is, unless --force is given",
        arguments: [
            ("import pngs images", "fashion.h5"),
            ("decoy fashion.h5 --masks-output spare.h5 --random-split test --seed 3", "decoy.h5"),
            ("toy-colors --corner-masks-output spare.h5 --top-masks-output spare-2.h5 --test 9", "decoy.h5"),
            ("train decoy.h5 --model mlp --batch-size 16 --epochs 2", "plain"),
            ("make-masks decoy.h5 --run plain --top-k 3", "masks.h5"),
            ("export hdf5 decoy.h5", "masks.h5"),
        ])
    func outputExists(line: String, output: String) throws {
        let folder = try TemporaryFolder()
        let workshop = try Workshop.shared.get()
        for name in ["images", "fashion.h5", "decoy.h5", "masks.h5", "plain"] {
            try FileManager.default.copyItem(atPath: workshop.path(name), toPath: folder.path(name))
        }
        let before = try folder.names()
        let arguments = line.split(separator: " ").map(String.init) + ["-o", output]
        let refused = try CommandLineTool.run(arguments, in: folder.path)
        #expect(refused.status == 73)
        #expect(refused.errors.contains("--force"))
        #expect(try folder.names() == before)
        let forced = try CommandLineTool.run(arguments + ["--force"], in: folder.path)
        #expect(forced.status == 0, "\(forced.errors)")
    }

    @Test(
        "--json prints one object and nothing else",
        arguments: [
            "import pngs images -o json-1.h5", "info decoy.h5", "info masks.h5", "validate decoy.h5 masks.h5",
            "decoy fashion.h5 -o json-2.h5 --masks-output json-3.h5 --seed 0",
            "find-another decoy.h5 --model mlp --epochs 1 --rounds 1 -o json-13",
            "sweep decoy.h5 --masks masks.h5 --model mlp --epochs 1 --lambda1 1 -o json-14",
            "toy-colors -o json-10.h5 --corner-masks-output json-11.h5 --top-masks-output json-12.h5 --train 9",
            "stream decoy.h5 --batch-size 8 --format null", "evaluate right decoy.h5 --masks masks.h5",
            "train decoy.h5 --model mlp --epochs 1 -o json-4",
            "make-masks decoy.h5 --run plain --top-k 3 -o json-5.h5",
            "export pngs decoy.h5 --masks masks.h5 -o json-6", "export npy decoy.h5 -o json-7",
            "export hdf5 decoy.h5 --masks masks.h5 -o json-8.h5", "export webdataset decoy.h5 -o json-9",
            "validate plain", "validate decoy.h5 masks.h5 plain --deep",
        ])
    func json(line: String) throws {
        let outcome = try CommandLineTool.run(
            line.split(separator: " ").map(String.init) + ["--json"], in: Workshop.shared.get().path)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let value = try JSONValue(parsing: outcome.text)
        #expect(value.objectValue?.isEmpty == false)
    }

    @Test("train --force replaces a run, but no folder that is something else")
    func forceOnForeignFolder() throws {
        let folder = try TemporaryFolder()
        try folder.write([1, 2, 3], to: "photos/holiday.raw")
        let command = [
            "train", try Workshop.shared.get().path("decoy.h5"), "--model", "mlp", "--epochs", "1",
        ]
        let outcome = try CommandLineTool.run(command + ["-o", "photos", "--force"], in: folder.path)
        #expect(outcome.status == 73)
        #expect(outcome.errors.contains("photos"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path("photos")) == ["holiday.raw"])
        #expect(try folder.names() == ["photos"])
    }

    @Test("validate's help lists every code of its findings and says what it means")
    func findingCodes() throws {
        let help = try CommandLineTool.run(["validate", "--help"], in: "/").text
        let listed = help.split(separator: "\n").filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") }
            .map { $0.split(separator: " ", maxSplits: 1).map { $0.trimmingPrefix { $0 == " " } } }
        let codes = Finding.Code.allCases.map(\.rawValue)
        let explained = listed.filter { codes.contains(String($0[0])) }
        #expect(explained.map { String($0[0]) } == codes)
        #expect(explained.allSatisfy { $0.count == 2 && $0[1].count > 20 })
    }

    @Test(
        "export --force replaces an export, but no folder that is something else",
        arguments: ["pngs", "npy", "webdataset"])
    func exportForce(kind: String) throws {
        let folder = try TemporaryFolder()
        try folder.write([1, 2, 3], to: "photos/holiday.raw")
        let command = ["export", kind, try Workshop.shared.get().path("decoy.h5")]
        for status: Int32 in [0, 73] {
            let again = try CommandLineTool.run(command + ["-o", "out"], in: folder.path)
            #expect(again.status == status)
        }
        #expect(try CommandLineTool.run(command + ["-o", "out", "--force"], in: folder.path).status == 0)
        let refused = try CommandLineTool.run(command + ["-o", "photos", "--force"], in: folder.path)
        #expect(refused.status == 73)
        #expect(refused.errors.contains("photos"))
        #expect(try folder.names() == ["out", "photos"])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path("photos")) == ["holiday.raw"])
    }

    @Test(
        "whatever signal ends a training from outside, it ends with 128 and its number, and leaves nothing behind",
        arguments: [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGXCPU, SIGALRM, SIGUSR1, SIGUSR2])
    func interruption(signal: Int32) throws {
        let folder = try TemporaryFolder()
        let process = Process()
        process.executableURL = URL(filePath: CommandLineTool.path)
        process.arguments = [
            "train", try Workshop.shared.get().path("decoy.h5"), "--model", "lenet", "--epochs", "100000",
            "-o", "run",
        ]
        process.currentDirectoryURL = URL(filePath: folder.path)
        try process.run()
        // The run's hidden folder says that training is under way.
        while process.isRunning, try folder.names().isEmpty { usleep(10_000) }
        kill(process.processIdentifier, signal)
        process.waitUntilExit()
        #expect(process.terminationReason == .exit && process.terminationStatus == 128 + signal)
        #expect(try folder.names().isEmpty)
    }

    @Test("what nohup starts outlives the terminal")
    func nohup() throws {
        let folder = try TemporaryFolder()
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [
            "nohup", CommandLineTool.path, "train", try Workshop.shared.get().path("decoy.h5"), "--model",
            "mlp",
            "--epochs", "100000", "--resume", "-o", "run",
        ]
        process.currentDirectoryURL = URL(filePath: folder.path)
        (process.standardOutput, process.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
        try process.run()
        while process.isRunning, try folder.names() != ["run.unfinished"] { usleep(10_000) }
        kill(process.processIdentifier, SIGHUP)
        usleep(200_000)
        #expect(process.isRunning)
        process.terminate()
        process.waitUntilExit()
        #expect(process.terminationReason == .exit && process.terminationStatus == 128 + SIGTERM)
    }

    @Test(
        "an interrupted export ends with 130 and leaves nothing behind, however many threads write",
        arguments: ["pngs", "npy", "hdf5", "webdataset"])
    func interruptedExport(kind: String) throws {
        let folder = try TemporaryFolder()
        let count = 60_000
        let shape = try ImageShape(channels: 1, height: 28, width: 28)
        let writer = try DatasetWriter(
            path: folder.path("d.h5"), force: false, sampleCount: count, imageShape: shape,
            elementType: .uint8, color: "gray", compression: .none)
        let zeros = [UInt8](repeating: 0, count: count * 784)
        let checksum = zeros.prefix(784).withUnsafeBytes { CRC32.checksum(of: $0) }
        try zeros.withUnsafeBytes {
            try writer.write(
                images: $0, rows: 0..<count, checksums: Array(repeating: checksum, count: count))
        }
        _ = try writer.complete(SampleTable(ids: (0..<count).map { "\($0)" }), provenance: [:])
        try writer.output.commit()
        let process = Process()
        process.executableURL = URL(filePath: CommandLineTool.path)
        process.arguments = ["export", kind, "d.h5", "-o", "out", "--jobs", "4"].filter {
            kind == "pngs" || kind == "webdataset" || !["--jobs", "4"].contains($0)
        }
        process.currentDirectoryURL = URL(filePath: folder.path)
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        while process.isRunning, try folder.names().count < 2 { usleep(1000) }
        if kind == "pngs" { usleep(200_000) }
        process.interrupt()
        process.waitUntilExit()
        // A short export may be done before it hears of the interruption.
        guard process.terminationStatus != 0 else { return }
        #expect(process.terminationReason == .exit && process.terminationStatus == 130)
        #expect(try folder.names() == ["d.h5"])
    }
}
