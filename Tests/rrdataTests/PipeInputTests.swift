import Foundation
import RRFormats
import TestSupport
import Testing

@Suite("Pipes, devices and sockets where a file is named or found")
struct PipeInputTests {
    private static func shell(_ line: String, in folder: String) throws -> ChildProcess.Outcome {
        let line = line.replacing("rrdata ", with: "\(CommandLineTool.path) ")
        return try ChildProcess.run("/bin/bash", ["-c", line], in: folder)
    }

    /// A folder with an array, ids, boxes, annotations and lists beside links to what the workshop made.
    private static func folder() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        let workshop = try Workshop.shared.get()
        for name in ["images", "fashion.h5", "decoy.h5", "masks.h5", "plain"] {
            try FileManager.default.createSymbolicLink(
                atPath: folder.path(name), withDestinationPath: workshop.path(name))
        }
        try folder.write(NPYHeader.bytes(shape: [3, 2, 2], type: .uint8) + (0..<12), to: "x.npy")
        let zip = try FileBytes.read(Fixtures.path("formats/\(Self.archive)"))
        try folder.write(zip, to: "x.npz")
        let names = try FileManager.default.contentsOfDirectory(atPath: workshop.path("images/train/Bag"))
            .sorted()
        let ids = names.prefix(4).map { "train/Bag/" + $0.dropLast(4) }
        func write(_ lines: [String], to name: String) throws {
            try folder.write(Array((lines.joined(separator: "\n") + "\n").utf8), to: name)
        }
        try write(ids, to: "ids.txt")
        try write(["id,x_min,y_min,x_max,y_max"] + ids.map { "\($0),1,1,5,5" }, to: "boxes.csv")
        try write(["file_name,label"] + ids.map { "\($0).png,a" }, to: "list.csv")
        try write(ids.map { #"{"file_name": "\#($0).png", "label": "a"}"# }, to: "list.jsonl")
        try write(
            [
                #"{"images": [{"id": 1, "file_name": "\#(ids[0]).png", "width": 28, "height": 28}],"#,
                #""annotations": [{"id": 1, "image_id": 1, "bbox": [1, 1, 5, 5], "category_id": 1}],"#,
                #""categories": [{"id": 1, "name": "c"}]}"#,
            ], to: "coco.json")
        return folder
    }

    private static let archive = "npz/keras.npz"

    @Test(
        "what a process substitution brings is read as the file would be",
        arguments: [
            ("stream fashion.h5 --batch-size 2 --split all --format npy --ids", "ids.txt", ""),
            ("info --json", "plain/model.json", ""), ("info --json", "coco.json", ""),
            ("info --json", "x.npy", ""), ("info --json", "plain/weights.safetensors", ""),
            ("evaluate decoy.h5 --json --weights plain/weights.safetensors --model", "plain/model.json", ""),
            ("evaluate decoy.h5 --json --model plain/model.json --weights", "plain/weights.safetensors", ""),
            ("import masks", "coco.json", "--for fashion.h5 -o o.h5"),
            ("import masks", "boxes.csv", "--for fashion.h5 -o o.h5"),
            ("import npy", "x.npy", "-o o.h5"), ("import npz", "x.npz", "-o o.h5"),
            ("import pngs images -o o.h5 --metadata", "list.csv", ""),
            ("import pngs images -o o.h5 --metadata", "list.jsonl", ""),
            ("train decoy.h5 --epochs 1 -o run --json --model", "plain/model.json", ""),
            ("train decoy.h5 --epochs 1 --model mlp -o run --json --init", "plain/weights.safetensors", ""),
        ])
    func processSubstitution(command: String, file: String, rest: String) throws {
        let folder = try Self.folder()
        var outcomes: [(printed: String, made: Data?)] = []
        for input in [file, "<(cat \(file))"] {
            let outcome = try Self.shell("rrdata \(command) \(input) \(rest)", in: folder.path)
            #expect(outcome.status == 0, "\(outcome.errors)")
            let made = ["o.h5", "run/weights.safetensors"].lazy.compactMap {
                try? Data(contentsOf: URL(filePath: folder.path($0)))
            }.first
            // The path is told, and training tells its seconds.
            let printed = outcome.text.split(separator: "\n").filter {
                !$0.contains("path") && !$0.contains("seconds")
            }
            outcomes.append((printed.joined(separator: "\n"), made))
            for name in ["o.h5", "run"] { try? FileManager.default.removeItem(atPath: folder.path(name)) }
        }
        #expect(outcomes[0].printed == outcomes[1].printed)
        // Provenance has the name of the file.
        #expect((outcomes[0].made == nil) == (outcomes[1].made == nil))
        if command.hasPrefix("train") { #expect(outcomes[0].made == outcomes[1].made) }
    }

    @Test(
        "a pipe that brings more than it states, or states more than there is room for, is refused at once",
        arguments: ["-", "p"])
    func endless(name: String) throws {
        let folder = try Self.folder()
        let huge = NPYHeader.bytes(shape: [1 << 30, 1 << 20], type: .float64) + [0, 0]
        try folder.write(huge, to: "huge.npy")
        try folder.write([0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 2], to: "x.idx")
        func run(_ bytes: String, _ command: String) throws -> ChildProcess.Outcome {
            let reader = "timeout 20 rrdata import \(command) \(name) -o o.h5"
            return try Self.shell(
                name == "-" ? "(\(bytes)) | \(reader)" : "rm -f p; mkfifo p; (\(bytes)) > p & \(reader)",
                in: folder.path)
        }
        for (bytes, command, said) in [
            ("cat x.npy; yes", "npy", "more than the 140 bytes that its header states"),
            ("cat x.idx; yes", "idx", "more than the 28 bytes that its header states"),
            ("cat huge.npy; yes", "npy", "save it as a file first"),
        ] {
            let outcome = try run(bytes, command)
            #expect(
                outcome.status == 65 && outcome.errors.contains(said), "\(outcome.status) \(outcome.errors)")
        }
        // In pieces as pipes bring them.
        let whole = try run("head -c 9 x.npy; sleep 0.1; tail -c +10 x.npy", "npy")
        #expect(whole.status == 0, "\(whole.errors)")
    }

    @Test("a pipe by name is waited for, and read once its writer has come")
    func lateWriter() throws {
        let folder = try Self.folder()
        let line =
            "mkfifo p; (sleep 0.5; cat ids.txt > p) & rrdata stream fashion.h5 --batch-size 9 --split all --format null --json --ids p"
        let outcome = try Self.shell(line, in: folder.path)
        #expect(outcome.status == 0 && outcome.text.contains("\"samples\": 4"), "\(outcome.errors)")
    }

    @Test(
        "a pipe that nobody writes to, a socket and a device end every command that would read them",
        arguments: ["pipe", "socket", "/dev/zero"])
    func nothingToRead(name: String) throws {
        let folder = try Self.folder()
        try #require(mkfifo(folder.path("pipe"), 0o600) == 0)
        try #require(mknod(folder.path("socket"), S_IFSOCK | 0o600, 0) == 0)
        let before = try folder.names()
        let lines = [
            "info \(name)", "stream \(name) --batch-size 2 --format null",
            "stream fashion.h5 --batch-size 2 --format null --ids \(name)",
            "stream fashion.h5 --batch-size 2 --format null --masks \(name)",
            "train decoy.h5 --epochs 1 -o run --model \(name)",
            "train decoy.h5 --epochs 1 -o run --model mlp --init \(name)",
            "train decoy.h5 --epochs 1 -o run --model mlp --validation \(name)",
            "evaluate decoy.h5 --model \(name) --weights plain/weights.safetensors",
            "evaluate decoy.h5 --model plain/model.json --weights \(name)",
            "import masks \(name) --for fashion.h5 -o o.h5", "import pngs images -o o.h5 --metadata \(name)",
            "import npy \(name) -o o.h5", "import npz \(name) -o o.h5", "import idx \(name) -o o.h5",
            "import hdf5 \(name) --images x -o o.h5", "export npy \(name) -o out",
            "make-masks decoy.h5 --gradients \(name) --top-k 3 -o o.h5",
            "make-masks decoy.h5 --run plain --union \(name) --top-k 3 -o o.h5",
        ]
        for line in lines {
            let outcome = try Self.shell("timeout 20 rrdata \(line)", in: folder.path)
            #expect(outcome.status == 74, "\(line): \(outcome.status) \(outcome.errors)")
            #expect(outcome.errors.contains("\(name): this is a"), "\(outcome.errors)")
            #expect(try folder.names() == before)
        }
        let found = try Self.shell("timeout 20 rrdata validate \(name)", in: folder.path)
        #expect(found.status == 1 && found.text.contains("this is a"), "\(found.text)")
    }

    @Test(
        "what is found in a folder is no pipe",
        arguments: ["metadata.csv", "metadata.jsonl", "export.json", ".export.json"])
    func sideFiles(name: String) throws {
        let folder = try TemporaryFolder()
        try FileManager.default.copyItem(
            atPath: try Workshop.shared.get().path("images/train"), toPath: folder.path("images"))
        try #require(mkfifo(folder.path("images/\(name)"), 0o600) == 0)
        for line in ["import pngs images -o o.h5", "stream images --batch-size 2 --format null"] {
            let outcome = try Self.shell("timeout 20 rrdata \(line)", in: folder.path)
            #expect(
                outcome.status == (line.hasPrefix("stream") && name.hasSuffix("export.json") ? 0 : 74),
                "\(outcome.errors)")
        }
        let told = try Self.shell("timeout 20 rrdata info images", in: folder.path)
        #expect((told.text + told.errors).contains("\(name): this is a pipe"), "\(told.text)")
    }

    @Test("a pipe among images is passed over, and one that a list names is refused")
    func images() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.copyItem(
            atPath: try Workshop.shared.get().path("images/train"), toPath: folder.path("images"))
        try #require(mkfifo(folder.path("images/Bag/pipe.png"), 0o600) == 0)
        try #require(mknod(folder.path("images/Bag/socket.png"), S_IFSOCK | 0o600, 0) == 0)
        let passed = try Self.shell("timeout 20 rrdata import pngs images -o o.h5 --json", in: folder.path)
        #expect(passed.status == 0 && passed.text.contains("\"other_files\": 2"), "\(passed.errors)")
        for name in ["pipe", "socket"] {
            try folder.write(Array("file_name,label\nBag/\(name).png,a\n".utf8), to: "images/metadata.csv")
            let refused = try Self.shell("timeout 20 rrdata import pngs images -o p.h5", in: folder.path)
            #expect(refused.status == 65 && refused.errors.contains("a \(name)"), "\(refused.errors)")
        }
    }
}
