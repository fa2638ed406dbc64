import Foundation
import RRDatasets
import RRFormats
import RRSchemas
import TestSupport
import Testing

@Suite("preview at the command line")
struct PreviewCommandTests {
    private func picture(_ path: String) throws -> PNGImage {
        try PNGDecoder.decode(Array(Data(contentsOf: URL(filePath: path))), path: path)
    }

    @Test("a sheet of masks and two runs names the samples, and its figures are those of evaluate")
    func runs() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("sheet.png")
        let arguments = [
            "preview", "decoy.h5", "--masks", "masks.h5", "--run", "plain", "--run", "right", "--split",
            "test",
            "--select", "confident", "--count", "5",
        ]
        let outcome = try CommandLineTool.run(
            arguments + ["-o", path, "--json"], in: Workshop.shared.get().path)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let found = try #require(JSONValue(parsing: outcome.text)["samples"]?.arrayValue)
        let table = folder.path("table.csv")
        _ = try Workshop.json("evaluate", "plain", "decoy.h5", "--predictions", table)
        let rows = try String(contentsOf: URL(filePath: table), encoding: .utf8).split(
            whereSeparator: \.isNewline
        ).dropFirst().map { $0.split(separator: ",") }
        let wrong = rows.filter { $0[1] != $0[2] }.map { row in
            (id: String(row[0]), probability: row[3..<13].compactMap { Double($0) }.max() ?? 0)
        }.sorted { $0.probability > $1.probability }
        #expect(found.count == min(5, wrong.count))
        #expect(found.map { $0["id"]?.stringValue } == wrong.prefix(found.count).map(\.id))
        for (sample, row) in zip(found, wrong) {
            let first = try #require(sample["predictions"]?.arrayValue?.first)
            #expect(first["run"] == "plain" && first["prediction"] != sample["label"])
            #expect(abs((first["probability"]?.doubleValue ?? 0) - row.probability) < 1e-4)
        }
        let sheet = try picture(path)
        #expect(sheet.width >= 640 && sheet.height > 200)
        // The same again is the same file, whatever the threads.
        let again = folder.path("again.png")
        _ = try CommandLineTool.run(
            arguments + ["-o", again, "--jobs", "1"], in: Workshop.shared.get().path)
        #expect(try picture(again) == sheet)
        let refused = try CommandLineTool.run(arguments + ["-o", path], in: Workshop.shared.get().path)
        #expect(refused.status == 73)
    }

    @Test(
        "each way to choose samples gives a sheet",
        arguments: ["first", "random", "classes", "loss", "inside"])
    func choices(name: String) throws {
        let folder = try TemporaryFolder()
        let found = try Workshop.json(
            "preview", "decoy.h5", "--masks", "masks.h5", "--run", "plain", "--select", name, "--count", "10",
            "--format", "svg", "-o", folder.path("sheet.svg"))
        #expect(found["samples"]?.arrayValue?.count == 10)
        let svg = try String(contentsOf: URL(filePath: folder.path("sheet.svg")), encoding: .utf8)
        #expect(svg.hasPrefix("<svg ") && svg.contains("what plain looks at"))
    }

    @Test("samples are named by a list of ids, in its order, and a slip is answered")
    func ids() throws {
        let folder = try TemporaryFolder()
        let list = folder.path("ids.txt")
        let known = try Dataset(path: Workshop.shared.get().path("decoy.h5")).ids()
        let ids = [known[100], known[3]]
        try folder.write(Array(ids.joined(separator: "\n").utf8), to: "ids.txt")
        let found = try Workshop.json("preview", "decoy.h5", "--ids", list, "-o", folder.path("a.png"))
        #expect(found["samples"]?.arrayValue?.map { $0["id"]?.stringValue } == ids)
        try folder.write(Array((known[3].dropLast() + "x").utf8), to: "ids.txt")
        let slip = try Workshop.run("preview", "decoy.h5", "--ids", list, "-o", folder.path("b.png"))
        #expect(slip.status == 65 && slip.errors.contains("did you mean"))
        // The ids themselves, one and more than a path has letters.
        for given in [known[3], known.joined(separator: ",")] {
            let odd = try Workshop.run("preview", "decoy.h5", "--ids", given, "-o", folder.path("b.png"))
            #expect(odd.status == 66 && odd.errors.contains("--ids names a text file"), "\(odd.errors)")
        }
    }

    @Test("a terminal is sent the picture and nothing else")
    func terminal() throws {
        let outcome = try Workshop.run("preview", "decoy.h5", "--count", "2", "--terminal", "kitty")
        #expect(outcome.status == 0 && outcome.text.hasPrefix("\u{1B}_Gf=100,a=T,"))
    }

    @Test(
        "wrong usage is refused by name",
        arguments: [
            ("preview decoy.h5", "--terminal"), ("preview decoy.h5 -o x.png --terminal kitty", "--output"),
            ("preview decoy.h5 --select loss -o x.png", "--run"),
            ("preview decoy.h5 --run plain --select inside -o x.png", "--masks"),
            ("preview decoy.h5 --count 0 -o x.png", "--count"),
            ("preview decoy.h5 --panel-size 2000 -o x.png", "--panel-size"),
            ("preview decoy.h5 --ids x --count 3 -o x.png", "--ids"),
            ("preview decoy.h5 --split dev -o x.png", "dev"),
            ("preview decoy.h5 -o decoy.h5 --force", "decoy.h5"),
        ])
    func usage(line: String, hint: String) throws {
        let outcome = try CommandLineTool.run(
            line.split(separator: " ").map(String.init), in: Workshop.shared.get().path)
        #expect(outcome.status == 64 && outcome.errors.contains(hint), "\(outcome.errors)")
    }
}
