import Foundation
import RRSchemas
import TestSupport
import Testing

@Suite("rrdata sweep")
struct SweepCommandTests {
    private func sweep(_ line: String, in folder: TemporaryFolder) throws -> ChildProcess.Outcome {
        let workshop = try Workshop.shared.get()
        return try CommandLineTool.run(
            [
                "sweep", workshop.path("decoy.h5"), "--masks", workshop.path("masks.h5"), "--model", "mlp",
                "--batch-size", "16", "--epochs", "2",
            ] + line.split(separator: " ").map(String.init), in: folder.path)
    }

    @Test("it says what to take, leaves the runs and a file of figures, and reads them again")
    func table() throws {
        let folder = try TemporaryFolder()
        let line = "--ways rrr,swap --lambda1 0.01:1:1 --held-out-share 0.3 -o sweep"
        let outcome = try sweep(line, in: folder)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let lines = outcome.text.split(separator: "\n").map(String.init)
        #expect(lines.count == 9 && lines[0].contains("with another's place"))
        #expect(lines[1].contains("plain") && lines[2].contains("0.01") && lines[7].contains("swap"))
        #expect(lines[8].hasPrefix("Recommended: ") || lines[8].hasPrefix("No run"))
        let again = try sweep(line + " --resume --json", in: folder)
        let figures = try JSONValue(parsing: again.text)
        #expect(again.status == 0 && again.errors.contains("were done already"))
        #expect(figures["runs"]?.arrayValue?.count == 7)
        let stored = try JSONValue(
            parsing: String(contentsOf: URL(filePath: folder.path("sweep/sweep.json")), encoding: .utf8))
        #expect(stored["format"] == "rrdata.sweep" && stored["runs"] == figures["runs"])
        #expect(stored["options"]?["lambda1"] == [0.01, 0.1, 1.0])
        #expect(try CommandLineTool.run(["validate", "sweep/run-1/run"], in: folder.path).status == 0)
        #expect(try sweep(line, in: folder).status == 73)
    }

    @Test(
        "weights, ways and seeds that cannot be read are usage errors",
        arguments: [
            "--lambda1 1:0.1", "--lambda1 0:1", "--lambda1 1:10:0", "--lambda1 1:10:1.5", "--lambda1 1,x",
            "--ways plain", "--ways both", "--seeds 3:1", "--seeds a", "--seeds 0:2000", "--lambda1 1,0.5",
        ])
    func usage(line: String) throws {
        let folder = try TemporaryFolder()
        #expect(try sweep("\(line) -o sweep", in: folder).status == 64)
        #expect(!FileManager.default.fileExists(atPath: folder.path("sweep")))
    }
}
