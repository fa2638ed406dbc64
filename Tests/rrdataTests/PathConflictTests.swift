import Foundation
import TestSupport
import Testing

@Suite("Outputs that are inputs, each other, or no files")
struct PathConflictTests {
    /// A folder with copies of what the workshop made, which a wrong program may spoil.
    private static func folder() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        let workshop = try Workshop.shared.get()
        for name in ["images", "fashion.h5", "decoy.h5", "masks.h5", "plain"] {
            try FileManager.default.copyItem(atPath: workshop.path(name), toPath: folder.path(name))
        }
        return folder
    }

    private static func run(_ line: String, in folder: TemporaryFolder) throws -> ChildProcess.Outcome {
        try CommandLineTool.run(line.split(separator: " ").map(String.init), in: folder.path)
    }

    /// Every file below a folder and its content.
    private static func contents(of folder: TemporaryFolder) throws -> [String: Data] {
        var contents: [String: Data] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: folder.path) {
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: folder.path(name), isDirectory: &isFolder)
            contents[name] =
                isFolder.boolValue ? Data() : try Data(contentsOf: URL(filePath: folder.path(name)))
        }
        return contents
    }

    @Test(
        "two outputs under two spellings are refused, and nothing is written",
        arguments: [
            ("decoy fashion.h5 --seed 1 -o q.h5 --masks-output ./q.h5", "--masks-output"),
            ("decoy fashion.h5 --seed 1 -o q.h5 --masks-output images/../q.h5", "--masks-output"),
            ("decoy fashion.h5 --seed 1 -o ./q.h5 --masks-output link.h5", "--masks-output"),
            ("decoy fashion.h5 --seed 1 -o there/q.h5 --masks-output q.h5", "--masks-output"),
            ("decoy fashion.h5 --seed 1 -o decoy.h5 --masks-output hard.h5", "--masks-output"),
            ("import pngs images -o q.h5 --masks images --masks-output ./q.h5", "--masks-output"),
            ("toy-colors -o a.h5 --corner-masks-output b.h5 --top-masks-output ./b.h5", "--top-masks-output"),
            ("export pngs decoy.h5 --masks masks.h5 -o x --masks-output there/x", "--masks-output"),
            (
                "train decoy.h5 --masks masks.h5 --model mlp --epochs 1 --top-k 3 -o run --collect-masks ./run",
                "--collect-masks"
            ),
        ])
    func outputs(line: String, hint: String) throws {
        let folder = try Self.folder()
        let files = FileManager.default
        try files.createSymbolicLink(atPath: folder.path("link.h5"), withDestinationPath: "q.h5")
        try files.createSymbolicLink(atPath: folder.path("there"), withDestinationPath: ".")
        try files.linkItem(atPath: folder.path("decoy.h5"), toPath: folder.path("hard.h5"))
        let before = try folder.names()
        for force in ["", " --force"] {
            let outcome = try Self.run(line + force, in: folder)
            #expect(outcome.status == 64, "\(outcome.errors)")
            #expect(
                outcome.errors.contains(hint) && outcome.errors.contains("same file"), "\(outcome.errors)")
            #expect(try folder.names() == before)
        }
    }

    @Test("the masks of a training do not go into the run's folder, which would take them along")
    func masksInsideRun() throws {
        let folder = try Self.folder()
        let before = try Self.contents(of: folder)
        let line =
            "train decoy.h5 --masks masks.h5 --model mlp --epochs 1 --top-k 3 -o plain --collect-masks ./plain/m.h5"
        let outcome = try Self.run(line + " --force", in: folder)
        #expect(outcome.status == 73 && outcome.errors.contains("--collect-masks"), "\(outcome.errors)")
        #expect(try Self.contents(of: folder) == before)
    }

    @Test(
        "--force replaces no input, under whatever spelling",
        arguments: [
            "decoy fashion.h5 --masks-output q.h5 -o fashion.h5",
            "decoy fashion.h5 --masks-output q.h5 -o ./fashion.h5",
            "decoy fashion.h5 --masks-output q.h5 -o soft.h5",
            "decoy fashion.h5 --masks-output q.h5 -o hard.h5",
            "decoy hard.h5 --masks-output fashion.h5 -o q.h5",
            "decoy there/fashion.h5 --masks-output q.h5 -o fashion.h5",
            "export hdf5 decoy.h5 --masks masks.h5 -o ./masks.h5", "export npy out/fashion.h5 -o out",
            "export npy out/fashion.h5 -o there/out", "export npy out/link.h5 -o out",
            "export pngs decoy.h5 --masks out-masks/masks.h5 -o out",
            "import masks masks.h5 --masks A --for decoy.h5 -o masks.h5",
            "import masks masks.h5 --masks A --for decoy.h5 -o ./decoy.h5",
            "import hdf5 fashion.h5 --images images -o ./fashion.h5",
            "import hdf5 fashion.h5 --images images --labels decoy.h5:/labels -o ./decoy.h5",
            "import pngs images -o images/list.csv", "import pngs images --metadata list.csv -o ./list.csv",
            "train decoy.h5 --model mlp --epochs 1 --init plain/weights.safetensors -o plain",
            "train decoy.h5 --model plain/model.json --epochs 1 -o there/plain",
            "train plain/d.h5 --model mlp --epochs 1 -o plain",
            "make-masks decoy.h5 --run plain --top-k 3 --union masks.h5 -o there/masks.h5",
            "make-masks decoy.h5 --run plain --top-k 3 -o plain/weights.safetensors",
            "find-another decoy.h5 --model plain/model.json --epochs 1 -o plain",
        ])
    func inputs(line: String) throws {
        let folder = try Self.folder()
        let files = FileManager.default
        try files.createSymbolicLink(atPath: folder.path("soft.h5"), withDestinationPath: "fashion.h5")
        try files.createSymbolicLink(atPath: folder.path("there"), withDestinationPath: ".")
        try files.linkItem(atPath: folder.path("fashion.h5"), toPath: folder.path("hard.h5"))
        try files.linkItem(atPath: folder.path("fashion.h5"), toPath: folder.path("plain/d.h5"))
        try Data("file_name\n".utf8).write(to: URL(filePath: folder.path("list.csv")))
        try Data("file_name\n".utf8).write(to: URL(filePath: folder.path("images/list.csv")))
        for name in ["out", "out-masks"] {
            #expect(try Self.run("export npy fashion.h5 -o \(name)", in: folder).status == 0)
        }
        try files.copyItem(atPath: folder.path("fashion.h5"), toPath: folder.path("out/fashion.h5"))
        try files.copyItem(atPath: folder.path("masks.h5"), toPath: folder.path("out-masks/masks.h5"))
        try files.createSymbolicLink(atPath: folder.path("out/link.h5"), withDestinationPath: "../fashion.h5")
        let before = try Self.contents(of: folder)
        let outcome = try Self.run(line + " --force", in: folder)
        #expect(outcome.status == 64, "\(outcome.errors)")
        #expect(outcome.errors.contains("would replace"), "\(outcome.errors)")
        #expect(try Self.contents(of: folder) == before)
    }

    @Test("a dataset and masks may be kept beside the images and the run that they are made of")
    func besideInputs() throws {
        let folder = try Self.folder()
        for line in [
            "import pngs images -o images/d.h5", "import pngs images -o images/d.h5 --force",
            "make-masks decoy.h5 --run plain --top-k 3 -o plain/m.h5",
            "make-masks decoy.h5 --run plain --top-k 3 -o plain/m.h5 --force",
        ] {
            let outcome = try Self.run(line, in: folder)
            #expect(outcome.status == 0, "\(outcome.errors)")
        }
    }

    @Test(
        "a pipe, a socket or a device is not replaced",
        arguments: ["pipe", "device", "stream", "socket"], ["", " --force"])
    func specialFiles(name: String, force: String) throws {
        let folder = try Self.folder()
        try #require(mkfifo(folder.path("pipe"), 0o600) == 0)
        try FileManager.default.createSymbolicLink(
            atPath: folder.path("device"), withDestinationPath: "/dev/null")
        try FileManager.default.createSymbolicLink(
            atPath: folder.path("stream"), withDestinationPath: "/dev/stdin")
        try #require(mknod(folder.path("socket"), S_IFSOCK | 0o600, 0) == 0)
        let before = try folder.names()
        for line in [
            "decoy fashion.h5 --masks-output q.h5 -o \(name)",
            "decoy fashion.h5 --masks-output \(name) -o q.h5",
            "import pngs images -o \(name)", "export npy fashion.h5 -o \(name)",
            "export hdf5 fashion.h5 -o \(name)",
            "train decoy.h5 --model mlp --epochs 1 -o \(name)",
            "toy-colors -o a.h5 --corner-masks-output b.h5 --top-masks-output \(name)",
            "make-masks decoy.h5 --run plain --top-k 3 -o \(name)",
        ] {
            let outcome = try Self.run(line + force, in: folder)
            #expect(
                outcome.status == 73 && outcome.errors.contains("\(name): this is a"), "\(outcome.errors)")
            #expect(try folder.names() == before)
        }
        let cursor = try Self.run("stream decoy.h5 --batch-size 8 --format null --cursor \(name)", in: folder)
        #expect(cursor.status == 73, "\(cursor.errors)")
    }

    @Test("results are not printed into an input or an output")
    func standardOutput() throws {
        let folder = try Self.folder()
        let before = try Self.contents(of: folder)
        for line in ["info decoy.h5 --json >> decoy.h5", "validate decoy.h5 masks.h5 >> masks.h5"] {
            let outcome = try ChildProcess.run(
                "/bin/bash", ["-c", "\(CommandLineTool.path) \(line)"], in: folder.path)
            #expect(outcome.status == 64 && outcome.errors.contains("standard output"), "\(outcome.errors)")
        }
        #expect(try Self.contents(of: folder) == before)
    }
}
