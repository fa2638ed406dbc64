import Foundation
import RRFormats
import TestSupport
import Testing

// The Swift code of README is run by `.ci/test-outside`, with that of the articles.
@Suite("README and the articles for the command line")
struct ReadmeTests {
    /// What is run, one after another in one folder.
    private static let articles = [
        "README.md", "Sources/RRPreparation/RRPreparation.docc/Reading-images.md",
        "Sources/RRPreparation/RRPreparation.docc/Reading-masks.md",
        "Sources/RRStreaming/RRStreaming.docc/Streaming-from-the-shell.md",
        "Sources/RRTraining/RRTraining.docc/Networks.md",
        "Sources/RRTraining/RRTraining.docc/Ways-of-training.md",
    ]

    /// A folder in which the README's commands find what they name.
    private func folder() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try FileManager.default.createSymbolicLink(
            atPath: folder.path("Fixtures"), withDestinationPath: Fixtures.path(""))
        return folder
    }

    @Test("every command runs, in order")
    func commands() throws {
        let folder = try folder()
        #expect(try blocks(of: "sh").flatMap { $0 }.count == 25)
        try runCommands(first: 25, in: folder)
    }

    private func runCommands(first count: Int, in folder: TemporaryFolder) throws {
        for command in try blocks(of: "sh").flatMap({ $0 }).prefix(count) {
            let words = command.split(separator: " ").map(String.init)
            #expect(words.first == "rrdata")
            let outcome = try CommandLineTool.run(Array(words.dropFirst()), in: folder.path)
            #expect(outcome.status == 0, "\(command): \(outcome.errors)")
            #expect(!outcome.output.isEmpty, "\(command) says nothing")
        }
    }

    @Test("one's own photographs and masks become models, a page and masks, as README has it")
    func photographs() throws {
        let folder = try folder()
        let photo = ["colour-420", "colour-422", "colour-444", "rgb", "profile", "comment"]
        let marks = try (0..<21 * 18).map { UInt8($0 % 21 < 6 && $0 / 21 < 6 ? 1 : 0) }
            .withUnsafeBufferPointer {
                try PNGEncoder().encodeMask($0, width: 21, height: 18)
            }
        for (number, name) in photo.enumerated() {
            for kind in ["cat", "dog"] {
                try folder.write(
                    FileBytes.read(Fixtures.path("formats/jpeg/\(name).jpg")),
                    to: "photos/\(kind)/\(number).jpg")
                try folder.write(marks, to: "masks/\(kind)/\(number).png")
            }
        }
        let commands = try #require(
            blocks(of: "console").first { $0.contains { $0.hasPrefix("rrdata import masks masks") } })
        #expect(commands.count == 8)
        for command in commands {
            let outcome = try CommandLineTool.run(
                command.split(separator: " ").map(String.init).dropFirst().map { $0 }, in: folder.path)
            #expect(outcome.status == 0, "\(command): \(outcome.errors)")
        }
        let made = try folder.names()
        #expect(["photos.html", "preview.png", "seen-masks", "second"].allSatisfy(made.contains))
    }

    private static let hasNumPy =
        (try? ChildProcess.run("/usr/bin/env", ["python3", "-c", "import numpy"], in: "/").status) == 0

    @Test(
        "the Python lines read every sample of the stream",
        .enabled(if: hasNumPy, "the lines need Python with NumPy, which nothing else here does"))
    func python() throws {
        let folder = try folder()
        try runCommands(first: 4, in: folder)
        let lines =
            try #require(try blocks(of: "python").first { $0.contains { $0.contains("subprocess") } }) + [
                "    print(len(index), masks.sum())"
            ]
        let outcome = try ChildProcess.run(
            "/usr/bin/env", ["python3", "-c", lines.joined(separator: "\n")], in: folder.path,
            searchingFirst: [CommandLineTool.folder])
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.text == "256 4096\n256 4096\n256 4096\n232 3712\n")
    }

    /// The lines of each fenced block of a language.
    private func blocks(of language: String) throws -> [[String]] {
        let text = try Self.articles.map {
            try String(contentsOf: URL(filePath: Fixtures.path("../\($0)")), encoding: .utf8)
        }.joined(separator: "\n")
        return text.components(separatedBy: "```\(language)\n").dropFirst().map { part in
            (part.components(separatedBy: "\n```").first ?? "").components(separatedBy: "\n")
        }
    }
}
