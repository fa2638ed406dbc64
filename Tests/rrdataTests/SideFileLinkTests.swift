import Foundation
import TestSupport
import Testing

@Suite("Files beside images that lead out of the folder")
struct SideFileLinkTests {
    private static func folder() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        let workshop = try Workshop.shared.get()
        for split in ["train", "test"] {
            try FileManager.default.createDirectory(
                atPath: folder.path("images/\(split)"), withIntermediateDirectories: true)
            try FileManager.default.copyItem(
                atPath: workshop.path("images/\(split)/Bag"), toPath: folder.path("images/\(split)/Bag"))
        }
        return folder
    }

    private static func run(_ line: String, in folder: TemporaryFolder) throws -> ChildProcess.Outcome {
        try CommandLineTool.run(line.split(separator: " ").map(String.init), in: folder.path)
    }

    @Test(
        "are not read, nor is anything of them printed",
        arguments: [
            "images/metadata.csv", "images/metadata.jsonl", "images/train/metadata.csv",
            "images/test/metadata.jsonl",
            "images/export.json", "images/.export.json",
        ],
        [true, false])
    func refused(name: String, isAbsolute: Bool) throws {
        let folder = try Self.folder()
        let secret = folder.path("secret")
        try folder.write(Array("TheSecret,x\nTheSecret,y\n".utf8), to: "secret")
        let depth = name.split(separator: "/").count - 1
        try FileManager.default.createSymbolicLink(
            atPath: folder.path(name),
            withDestinationPath: isAbsolute ? secret : String(repeating: "../", count: depth) + "secret")
        for line in [
            "import pngs images -o d.h5", "info images", "stream images --batch-size 8 --format null",
        ] {
            let outcome = try Self.run(line, in: folder)
            let text = outcome.text + outcome.errors
            #expect(!text.contains("TheSecret"), "\(text)")
            // A stream asks an export for nothing that it needs.
            guard !(line.hasPrefix("stream") && name.hasSuffix("export.json")) else { continue }
            #expect(outcome.status == (line.hasPrefix("info") && name.contains("metadata") ? 0 : 65))
            #expect(text.contains("leads out of the folder") && text.contains("--trust-links"), "\(text)")
        }
        #expect(!FileManager.default.fileExists(atPath: folder.path("d.h5")))
    }

    @Test("arrays of an export follow links out of the folder only where these are trusted")
    func arrays() throws {
        let folder = try Self.folder()
        for line in ["import pngs images -o d.h5", "export npy d.h5 -o arrays"] {
            #expect(try Self.run(line, in: folder).status == 0)
        }
        try FileManager.default.moveItem(
            atPath: folder.path("arrays/images.npy"), toPath: folder.path("elsewhere.npy"))
        try FileManager.default.createSymbolicLink(
            atPath: folder.path("arrays/images.npy"), withDestinationPath: "../elsewhere.npy")
        let refused = try Self.run("import npy arrays -o again.h5", in: folder)
        #expect(
            refused.status == 65 && refused.errors.contains("leads out of the folder")
                && refused.errors.contains("--trust-links"), "\(refused.errors)")
        let trusted = try Self.run("import npy arrays -o again.h5 --trust-links", in: folder)
        #expect(trusted.status == 0, "\(trusted.errors)")
    }

    @Test("are read where links are trusted, where they are named, and where the link stays inside")
    func trusted() throws {
        let folder = try Self.folder()
        let bag = try FileManager.default.contentsOfDirectory(atPath: folder.path("images/train/Bag"))
        let list = "file_name,label\n" + bag.map { "train/Bag/\($0),b\n" }.joined()
        try folder.write(Array(list.utf8), to: "list.csv")
        try folder.write(Array(list.utf8), to: "images/own.csv")
        let link = folder.path("images/metadata.csv")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "../list.csv")
        #expect(try Self.run("import pngs images -o a.h5 --trust-links", in: folder).status == 0)
        #expect(
            try Self.run("import pngs images -o b.h5 --metadata images/metadata.csv", in: folder).status == 0)
        try FileManager.default.removeItem(atPath: link)
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "own.csv")
        #expect(try Self.run("import pngs images -o c.h5", in: folder).status == 0)
        try FileManager.default.createSymbolicLink(
            atPath: folder.path("elsewhere"), withDestinationPath: "images")
        #expect(try Self.run("import pngs elsewhere -o d.h5", in: folder).status == 0)
        let text = try Self.run("info c.h5", in: folder).text
        #expect(text.contains("(\(bag.count), 1, 28, 28)"), "\(text)")
    }
}
