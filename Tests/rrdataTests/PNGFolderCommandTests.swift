import Foundation
import TestSupport
import Testing

@Suite("Commands on a folder of PNGs")
struct PNGFolderCommandTests {
    private func run(_ line: String, in folder: String) throws -> ChildProcess.Outcome {
        try CommandLineTool.run(line.split(separator: " ").map(String.init), in: folder)
    }

    private func workshop() throws -> String { try Workshop.shared.get().path }

    @Test(
        "stream writes the bytes that it writes of the import",
        arguments: [
            "--shuffle --seed 3 --epochs 2 --format npy", "--raw --split all --format npy",
            "--shuffle --split test --rank 1 --world 2 --memory 200K --format npy",
            "--shuffle --augment hflip --format webdataset",
        ])
    func stream(options: String) throws {
        let folder = try workshop()
        let expected = try run("stream fashion.h5 --batch-size 7 " + options, in: folder)
        let found = try run("stream images --batch-size 7 " + options, in: folder)
        #expect(expected.status == 0 && !expected.output.isEmpty)
        #expect(found.status == 0 && found.output == expected.output)
        #expect(found.errors.isEmpty)
    }

    @Test("folder options are those of import pngs")
    func options() throws {
        let (folder, work) = (try workshop(), try TemporaryFolder())
        let options = "--labels none --color rgb --depth 16 --size 9x20 --fit pad --background 1020F0"
        #expect(try run("import pngs images \(options) -o \(work.path("d.h5"))", in: folder).status == 0)
        let expected = try run("stream \(work.path("d.h5")) --batch-size 9 --raw --format npy", in: folder)
        let found = try run("stream images \(options) --batch-size 9 --raw --format npy", in: folder)
        #expect(found.status == 0 && found.output == expected.output)
        let refused = try run("stream fashion.h5 --size 9x9 --batch-size 9 --format null", in: folder)
        #expect(refused.status == 64 && refused.errors.contains("--size"))
    }

    @Test("masks and a cursor of the import go with the folder, and the other way round")
    func masksAndCursor() throws {
        let (folder, work) = (try workshop(), try TemporaryFolder())
        let common = "--batch-size 7 --shuffle --epochs 2 --cursor \(work.path("c.json"))"
        #expect(try run("export pngs decoy.h5 -o \(work.path("decoy"))", in: folder).status == 0)
        let expected = try run("stream decoy.h5 --masks masks.h5 --batch-size 7 --format npy", in: folder)
        let found = try run(
            "stream \(work.path("decoy")) --masks masks.h5 --batch-size 7 --format npy", in: folder)
        #expect(expected.status == 0 && found.output == expected.output)
        #expect(try run("stream decoy.h5 --masks masks.h5 \(common) --format null", in: folder).status == 0)
        let finished = try run(
            "stream \(work.path("decoy")) --masks masks.h5 \(common) --format npy", in: folder)
        #expect(finished.status == 0 && finished.output.isEmpty)
        let other = try run("stream images --masks masks.h5 --batch-size 7 --format null", in: folder)
        #expect(other.status == 65 && other.errors.contains("another dataset"))
    }

    @Test("train, evaluate and make-masks take the folder as they take its import")
    func training() throws {
        let (folder, work) = (try workshop(), try TemporaryFolder())
        for (source, name) in [("images", "a"), ("fashion.h5", "b")] {
            let run = work.path(name)
            #expect(
                try self.run("train \(source) --model mlp --batch-size 16 --epochs 1 -o \(run)", in: folder)
                    .status
                    == 0)
            let masks = "make-masks \(source) --run \(run) --top-k 5 -o \(run).h5"
            #expect(try self.run(masks, in: folder).status == 0)
        }
        for name in ["/weights.safetensors", "/config.json", ".h5"] {
            let files = try ["a", "b"].map { try Data(contentsOf: URL(filePath: work.path($0 + name))) }
            #expect(files[0] == files[1])
        }
        let figures = try ["images", "fashion.h5"].map {
            try run("evaluate \(work.path("a")) \($0) --masks \(work.path("a.h5")) --json", in: folder)
        }
        #expect(figures[0].status == 0 && figures[0].output == figures[1].output)
    }

    @Test("what is wrong with a folder has the exit codes of the contract")
    func failures() throws {
        let (folder, work) = (try workshop(), try TemporaryFolder())
        func stream(_ path: String) throws -> ChildProcess.Outcome {
            try run("stream \(path) --batch-size 4 --format null", in: work.path)
        }
        try FileManager.default.createDirectory(
            atPath: work.path("empty"), withIntermediateDirectories: false)
        #expect(try stream("empty").status == 65)
        #expect(try stream("absent").status == 66)
        try FileManager.default.copyItem(atPath: folder + "/images/test", toPath: work.path("images"))
        let names = try FileManager.default.subpathsOfDirectory(atPath: work.path("images")).filter {
            $0.hasSuffix(".png")
        }.sorted()
        var bytes = try [UInt8](Data(contentsOf: URL(filePath: work.path("images/\(names[9])"))))
        bytes[bytes.count - 20] ^= 1
        try work.write(bytes, to: "images/\(names[9])")
        let damaged = try stream("images")
        #expect(damaged.status == 65 && damaged.errors.contains(names[9]))
        #expect(damaged.errors.contains("“\(names[9].dropLast(4))”"))
        let masks = try run("train images --model mlp -o run", in: work.path)
        #expect(masks.status == 65 && masks.errors.contains(names[9]))
    }
}
