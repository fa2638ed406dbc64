import Foundation
import RRDatasets
import RRExplanation
import RRNetworks
import RRStreaming
import RRTraining
import TestSupport
import Testing

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
        #expect(try blocks(of: "sh").flatMap { $0 }.count == 19)
        try runCommands(first: 19, in: folder)
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

    @Test("the library's lines are those of this test, which compiles and runs them")
    func library() throws {
        let folder = try folder()
        try runCommands(first: 4, in: folder)
        try #require(chdir(folder.path) == 0)
        var losses: [Double] = []
        func print(_ line: String) { losses += line.split(separator: " ").compactMap { Double($0) } }

        // README: begin
        let dataset = try Dataset(path: "decoy.h5")
        let masks = try MaskSet(path: "masks.h5", for: dataset)
        let trainer = try Trainer<Float>(
            model: BuiltInModel.mlp.description(for: dataset), loss: LossOptions(lambda1: 1),
            optimization: OptimizationOptions(.adam))
        let stream = try BatchStream(
            dataset: dataset, masks: masks, options: StreamOptions(batchSize: 32, isShuffled: true, seed: 0))
        while let batch = try stream.next() {
            let terms = try trainer.step(batch)
            print("step \(batch.step): cross-entropy \(terms.crossEntropy), penalty \(terms.penalty ?? 0)")
        }
        // README: end

        #expect(losses.count == 32)
        #expect(losses.allSatisfy { $0 > 0 })
        let source = try String(contentsOf: URL(filePath: #filePath), encoding: .utf8)
        let lines = source.split(separator: "\n", omittingEmptySubsequences: false)
        let start = try #require(lines.firstIndex { $0.contains("README: begin") })
        let end = try #require(lines.firstIndex { $0.contains("README: end") })
        let swift = try blocks(of: "swift")
        #expect(lines[(start + 1)..<end].map { String($0.dropFirst(8)) } == swift[1])
        #expect(swift[0].allSatisfy { source.contains("\n\($0)\n") })
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
