import Foundation
import TestSupport
import Testing

// The Swift code of README is run by `.ci/test-outside`, with that of the articles.
@Suite("README")
struct ReadmeTests {
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

    private static let hasNumPy =
        (try? ChildProcess.run("/usr/bin/env", ["python3", "-c", "import numpy"], in: "/").status) == 0

    @Test(
        "the Python lines read every sample of the stream",
        .enabled(if: hasNumPy, "the lines need Python with NumPy, which nothing else here does"))
    func python() throws {
        let folder = try folder()
        try runCommands(first: 4, in: folder)
        let lines = try #require(try blocks(of: "python").first) + ["    print(len(index), masks.sum())"]
        let outcome = try ChildProcess.run(
            "/usr/bin/env", ["python3", "-c", lines.joined(separator: "\n")], in: folder.path,
            searchingFirst: [CommandLineTool.folder])
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.text == "256 4096\n256 4096\n256 4096\n232 3712\n")
    }

    /// The lines of each fenced block of a language.
    private func blocks(of language: String) throws -> [[String]] {
        let text = try String(contentsOf: URL(filePath: Fixtures.path("../README.md")), encoding: .utf8)
        return text.components(separatedBy: "```\(language)\n").dropFirst().map { part in
            (part.components(separatedBy: "\n```").first ?? "").components(separatedBy: "\n")
        }
    }
}
