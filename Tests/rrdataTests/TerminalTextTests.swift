import Foundation
import RRSchemas
import TestSupport
import Testing

@Suite("Names and texts from files on a terminal")
struct TerminalTextTests {
    private static let names = ["c\u{1B}[2Jx", "d\nrrdata: error: fake", "é中", "r\u{202E}tl"]
    private static let shown = ["c\\u{1B}[2Jx", "d\\nrrdata: error: fake", "é中", "r\\u{202E}tl"]

    /// A folder with images of classes that would take over a terminal, imported and trained on.
    private static func folder() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        for name in names {
            try FileManager.default.createDirectory(
                atPath: folder.path("images"), withIntermediateDirectories: true)
            try FileManager.default.copyItem(
                atPath: try Workshop.shared.get().path("images/train/Bag"),
                toPath: folder.path("images/\(name)"))
        }
        return folder
    }

    /// Whether text has nothing that a terminal obeys but ends of lines.
    private static func isHarmless(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy {
            $0 == "\n" || ($0.value >= 0x20 && !(0x7F...0x9F).contains($0.value))
        }
            && !text.contains("\u{202E}") && !text.contains("\nrrdata: error: fake")
    }

    @Test("are escaped in text, and exact in JSON")
    func classNames() throws {
        let folder = try Self.folder()
        for line in [
            "import pngs images -o d.h5", "train d.h5 --model mlp --epochs 1 -o run", "evaluate run d.h5",
            "info d.h5",
            "info images", "info run", "validate d.h5", "stream images --batch-size 8 --format null",
        ] {
            let outcome = try CommandLineTool.run(
                line.split(separator: " ").map(String.init), in: folder.path)
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(Self.isHarmless(outcome.text) && Self.isHarmless(outcome.errors), "\(line)")
            if line.hasPrefix("evaluate") || line == "info d.h5" {
                for name in Self.shown { #expect(outcome.text.contains(name), "\(outcome.text)") }
            }
        }
        let json = try JSONValue(
            parsing: CommandLineTool.run(["info", "d.h5", "--json"], in: folder.path).text)
        #expect(
            json["classes"]?.arrayValue?.compactMap { $0["name"]?.stringValue }
                == Self.names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
    }

    @Test("are escaped in errors and notes")
    func errors() throws {
        let folder = try Self.folder()
        #expect(
            try CommandLineTool.run(["import", "pngs", "images", "-o", "d.h5"], in: folder.path).status == 0)
        let escape = "\u{1B}[31m\nrrdata: error: fake\u{202E}"
        try folder.write(Array("\(escape)\n".utf8), to: "ids.txt")
        try folder.write(Array("\u{1B}[31m,x\n1,2\n".utf8), to: "boxes.csv")
        try folder.write(Array("file_name,\u{1B}[31m\n1,2\n".utf8), to: "list.csv")
        try folder.write(Array("file_name,label\n\"\(escape).png\",2\n".utf8), to: "list-2.csv")
        try folder.write(Array("{\"format\": \"\u{1B}\(escape)\"}".utf8), to: "model.json")
        try folder.write([1, 2, 3], to: "images/\(Self.names[0])/\(escape).png")
        for arguments in [
            ["info", "no\(escape)"],
            ["stream", "d.h5", "--batch-size", "8", "--format", "null", "--split", escape],
            ["stream", "d.h5", "--batch-size", "8", "--format", "null", "--ids", "ids.txt"],

            ["import", "masks", "boxes.csv", "--for", "d.h5", "-o", "m.h5"],
            ["import", "pngs", "images", "--metadata", "list.csv", "-o", "x.h5"],
            ["import", "pngs", "images", "--metadata", "list-2.csv", "-o", "x.h5"],
            ["import", "pngs", "images", "-o", "x.h5"],
            ["import", "pngs", "images", "-o", "x.h5", "--on-error", "skip"],
            ["train", "d.h5", "--model", "model.json", "-o", "run"], ["validate", "d.h5", "no\(escape)"],
            ["decoy", "d.h5", "-o", "no\(escape)/x.h5", "--masks-output", "m.h5"],
        ] {
            let outcome = try CommandLineTool.run(arguments, in: folder.path)
            #expect(outcome.status != 0 || arguments.contains("skip"))
            #expect(outcome.errors.contains("\\u{") || outcome.status == 65, "\(outcome.errors)")
            #expect(
                Self.isHarmless(outcome.text) && Self.isHarmless(outcome.errors),
                "\(arguments): \(outcome.errors)")
        }
    }

    @Test("are cut where they are long")
    func length() throws {
        let folder = try TemporaryFolder()
        let decoy = try Workshop.shared.get().path("decoy.h5")
        try folder.write(Array(repeating: UInt8(ascii: "a"), count: 1 << 20), to: "ids.txt")
        try folder.write(
            Array(repeating: UInt8(ascii: "a"), count: 1 << 20) + [44, 98, 10, 49, 44, 50], to: "t.csv")
        for arguments in [
            ["stream", decoy, "--batch-size", "8", "--format", "null", "--ids", "ids.txt"],
            ["import", "masks", "t.csv", "--for", decoy, "-o", "m.h5"],
        ] {
            let outcome = try CommandLineTool.run(arguments, in: folder.path)
            #expect(outcome.status == 65)
            #expect(
                outcome.errors.utf8.count < 20_000 && outcome.errors.contains("aaa…aaa"),
                "\(outcome.errors.utf8.count)")
        }
    }
}
