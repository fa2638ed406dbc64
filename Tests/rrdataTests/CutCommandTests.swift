import Foundation
import RRFormats
import TestSupport
import Testing

@Suite("What a cut, a kill or a full stop of the power leaves of a command's outputs")
struct CutCommandTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        for name in ["fashion.h5", "masks.h5", "decoy.h5"] {
            try FileManager.default.copyItem(
                atPath: Workshop.shared.get().path(name), toPath: folder.path(name))
        }
    }

    private static let strace = "/usr/bin/strace"
    /// Whether another process can be watched here.
    private static let canTrace: Bool =
        (try? ChildProcess.run(strace, ["-qq", "-e", "trace=fsync", "/bin/true"], in: "/"))?.status == 0

    private func run(_ line: String) throws -> ChildProcess.Outcome {
        try CommandLineTool.run(line.split(separator: " ").map(String.init), in: folder.path)
    }

    /// What a command that succeeds asks of the disk, in its order: `sync PATH`, `name PATH` and `delete PATH`, with the
    /// paths in the folder, and `*` for what is different each time.
    private func calls(of line: String) throws -> [String] {
        let log = folder.path("log")
        let outcome = try ChildProcess.run(
            Self.strace,
            [
                "-f", "-qq", "-y", "-o", log, "-e", "trace=fsync,syncfs,rename,renameat2,link,unlink",
                CommandLineTool.path,
            ] + line.split(separator: " ").map(String.init), in: folder.path)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let root = URL(filePath: folder.path).resolvingSymlinksInPath().path
        return try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n").compactMap { line in
            guard line.hasSuffix("= 0") else { return nil }
            let line = line.replacing(root + "/", with: "").replacing(root, with: ".")
                .replacing(/[0-9a-f]{16}\.partial/, with: "*")
            if let call = line.firstMatch(of: /(fsync|syncfs)\(\d+<([^>]*)>/) { return "sync \(call.2)" }
            if let call = line.firstMatch(of: /\ (rename|link)[a-z0-9]*\(.*"([^"]+)"[^"]*$/) {
                return "name \(call.2)"
            }
            return line.firstMatch(of: /\ unlink\("([^"]+)"/).map { "delete \($0.1)" }
        }
    }

    @Test(
        "outputs are on the disk before the first has its name, and the names before anything older is deleted",
        .enabled(if: canTrace, "needs strace"))
    func order() throws {
        #expect(
            try calls(of: "decoy fashion.h5 -o d.h5 --masks-output m.h5") == [
                "sync .d.h5.*/output", "sync .m.h5.*/output", "name d.h5", "name m.h5", "sync .",
            ])
        #expect(
            try calls(of: "decoy fashion.h5 -o d.h5 --masks-output m.h5 --force") == [
                "sync .d.h5.*/output", "sync .m.h5.*/output", "name d.h5", "name m.h5", "sync .",
                "delete .d.h5.*/output", "delete .m.h5.*/output",
            ])
        let arrays = try calls(of: "export npy decoy.h5 --masks masks.h5 -o arrays")
        let named = try #require(arrays.firstIndex(of: "name arrays"))
        #expect(Array(arrays[(named - 1)...]) == ["sync .arrays.*/output", "name arrays", "sync ."])
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path("arrays"))
        #expect(Set(arrays[..<(named - 1)]) == Set(names.map { "sync .arrays.*/output/\($0)" }))
        // More files than are brought to the disk one by one.
        #expect(
            try calls(of: "export pngs decoy.h5 --masks masks.h5 -o pngs") == [
                "sync .pngs.*/output", "sync .pngs-masks.*/output", "name pngs", "name pngs-masks", "sync .",
            ])
    }

    @Test(
        "an older checkpoint is deleted once the newer one is on the disk",
        .enabled(if: canTrace, "needs strace"))
    func checkpoints() throws {
        let calls = try calls(
            of: "train decoy.h5 --model mlp --batch-size 60 --epochs 1 --checkpoint-every 0 --resume -o run")
        let folder = "run.unfinished/checkpoint"
        for file in ["weights-0.safetensors", "optimizer-0.safetensors"] {
            let deleted = try #require(calls.firstIndex(of: "delete \(folder)/\(file)"))
            // Before it, in this order: the newer weights, the state that names them, and that state's name.
            let weights = try #require(calls.firstIndex(of: "sync \(folder)/weights-1.safetensors"))
            let state = try #require(
                calls[weights...].firstIndex(of: "sync \(folder)/.state.json.*/output"))
            let named = try #require(calls[state...].firstIndex(of: "name \(folder)/state.json"))
            let kept = try #require(calls[named...].firstIndex(of: "sync \(folder)"))
            #expect(kept < deleted)
        }
        let named = try #require(calls.firstIndex(of: "name run"))
        #expect(calls[..<named].contains("sync run.unfinished/weights.safetensors"))
        #expect(calls[named + 1] == "sync .")
    }

    @Test(
        "an input/output error of the disk ends with 74, a full disk with 73, and nothing is left of either",
        .enabled(if: canTrace, "needs strace"),
        arguments: ["fsync", "pwrite64", "renameat2"],
        [("EIO", Int32(74), "write-failed"), ("ENOSPC", 73, "cannot-write")])
    func failingDisk(call: String, failure: (name: String, status: Int32, code: String)) throws {
        let outcome = try ChildProcess.run(
            Self.strace,
            [
                "-f", "-qq", "-o", "/dev/null", "-e", "trace=\(call)", "-e",
                "inject=\(call):error=\(failure.name)",
                CommandLineTool.path, "decoy", "fashion.h5", "-o", "d.h5", "--masks-output", "m.h5", "--json",
            ], in: folder.path)
        #expect(outcome.status == failure.status, "\(outcome.errors)")
        #expect(outcome.text.contains(failure.code) && outcome.errors.contains("d.h5"), "\(outcome.text)")
        #expect(try folder.names().sorted() == ["decoy.h5", "fashion.h5", "masks.h5"])
    }

    @Test(
        "whichever write of an HDF5 file fails, the reason is the disk's and the exit code 74",
        .enabled(if: canTrace, "needs strace"), arguments: ["", "--compress deflate"])
    func anyWrite(option: String) throws {
        let images = try Workshop.shared.get().path("images/train/Bag")
        for number in 1... {
            let outcome = try ChildProcess.run(
                Self.strace,
                [
                    "-f", "-qq", "-o", "/dev/null", "-e", "trace=pwrite64",
                    "-e", "inject=pwrite64:error=EIO:when=\(number)", CommandLineTool.path, "import", "pngs",
                    images, "--labels", "none", "-o", "d.h5",
                ] + option.split(separator: " ").map(String.init), in: folder.path)
            guard outcome.status != 0 else {
                #expect(number > 10)
                return
            }
            try #require(
                outcome.status == 74 && outcome.errors.contains("Input/output error"),
                "\(number): \(outcome.errors)")
        }
    }

    @Test("what cannot be taken back once it has its name is told", .enabled(if: canTrace, "needs strace"))
    func stuck() throws {
        // The second output gets no name, and then the first does not lose its own.
        let outcome = try ChildProcess.run(
            Self.strace,
            [
                "-f", "-qq", "-o", "/dev/null", "-e", "trace=rename,renameat2", "-e",
                "inject=renameat2:error=EIO:when=2+",
                "-e", "inject=rename:error=EIO", CommandLineTool.path, "decoy", "fashion.h5", "-o", "d.h5",
                "--masks-output",
                "m.h5",
            ], in: folder.path)
        #expect(outcome.status == 74)
        #expect(
            outcome.errors.contains("m.h5: ") && outcome.errors.contains("could not be taken back: d.h5"),
            "\(outcome.errors)")
        #expect(try run("validate d.h5").status == 0)
    }

    @Test("with --no-sync nothing waits for the disk", .enabled(if: canTrace, "needs strace"))
    func noSync() throws {
        for line in [
            "decoy fashion.h5 -o d.h5 --masks-output m.h5", "export pngs fashion.h5 -o pngs",
            "train fashion.h5 --model mlp --epochs 1 --checkpoint-every 0 --resume -o run",
        ] {
            let calls = try calls(of: line + " --no-sync")
            #expect(calls.contains { $0.hasPrefix("name ") })
            #expect(!calls.contains { $0.hasPrefix("sync ") })
        }
    }

    @Test("an output in a folder that a link names")
    func linkedFolder() throws {
        try FileManager.default.createDirectory(
            atPath: folder.path("real"), withIntermediateDirectories: false)
        try FileManager.default.createSymbolicLink(
            atPath: folder.path("link"), withDestinationPath: folder.path("real"))
        let outcome = try run("decoy fashion.h5 -o link/d.h5 --masks-output link/m.h5")
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path("real")).sorted() == [
                "d.h5", "m.h5",
            ])
    }

    @Test(
        "an unfinished folder in which nothing was begun is in nobody's way",
        arguments: ["train decoy.h5 --model mlp --epochs 1", "find-another decoy.h5 --model mlp --epochs 1"],
        ["", " --resume", " --force"])
    func nothingBegun(command: String, option: String) throws {
        try folder.write([1], to: "run.unfinished/.find-another.json.0123456789abcdef.partial/output")
        let outcome = try run(command + " -o run" + option)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try folder.names().sorted() == ["decoy.h5", "fashion.h5", "masks.h5", "run"])
    }

    @Test("a run that was killed while its checkpoint was deleted is done, and nothing of that is left")
    func deletedCheckpoint() throws {
        let line = "train decoy.h5 --model mlp --epochs 1 --resume -o run"
        #expect(try run(line).status == 0)
        try folder.write([1], to: ".run.0123456789abcdef.partial/weights-3.safetensors")
        // What a cut of the power brings back of it.
        try folder.write([1], to: "run/checkpoint/weights-0.safetensors")
        let again = try run(line)
        #expect(again.status == 0, "\(again.errors)")
        #expect(again.errors.contains("run was done already"))
        #expect(!FileManager.default.fileExists(atPath: folder.path("run/checkpoint")))
        #expect(try folder.names().sorted() == ["decoy.h5", "fashion.h5", "masks.h5", "run"])
    }

    @Test("a search that is done says so, and a restart loop ends")
    func doneSearch() throws {
        let line = "find-another decoy.h5 --rounds 1 --model mlp --epochs 1 --resume -o found"
        let first = try run(line)
        #expect(first.status == 0, "\(first.errors)")
        let again = try run(line)
        #expect(again.status == 0 && again.text == first.text, "\(again.errors)")
        #expect(again.errors.contains("were done already") && !first.errors.contains("were done already"))
        #expect(try run(line + " --seed 9").status == 64)
    }

    @Test("a process ends however soon after its start it is told to")
    func endsAtOnce() throws {
        let stream = "\(CommandLineTool.path) stream fashion.h5 --batch-size 2 --epochs 1000000 --format null"
        let line = """
            for tens in 0 1 2 3 4 5; do for ones in 0 1 2 3 4 5 6 7 8 9; do
            \(stream) & sleep 0.0$tens$ones; kill -TERM $!; wait $!; test $? = 143 || echo lost; done; done
            """
        let outcome = try ChildProcess.run(
            "/usr/bin/timeout", ["-s", "KILL", "120", "/bin/bash", "-c", line], in: folder.path)
        #expect(outcome.status == 0 && !outcome.text.contains("lost"), "\(outcome.text)")
    }

    @Test("compressed datasets have the same bytes with any number of threads")
    func threads() throws {
        var first: Data?
        for jobs in [1, 2, 5, 16] {
            let source = try Workshop.shared.get().path("images")
            let outcome = try run("import pngs \(source) --compress deflate --jobs \(jobs) -o d.h5 --force")
            #expect(outcome.status == 0, "\(outcome.errors)")
            let bytes = try Data(contentsOf: URL(filePath: folder.path("d.h5")))
            #expect(bytes == first ?? bytes)
            first = bytes
        }
    }
}
