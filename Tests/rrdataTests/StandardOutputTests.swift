import Foundation
import TestSupport
import Testing

@Suite("Standard output that takes no more")
struct StandardOutputTests {
    private static func shell(_ line: String) throws -> ChildProcess.Outcome {
        let line = line.replacing("rrdata ", with: "\(CommandLineTool.path) ")
        return try ChildProcess.run("/bin/bash", ["-c", line], in: Workshop.shared.get().path)
    }

    private static let commands = [
        "--help", "--version", "train --help", "info decoy.h5", "info decoy.h5 --json",
        "validate decoy.h5 masks.h5",
        "validate decoy.h5 masks.h5 --json", "evaluate plain decoy.h5", "evaluate plain decoy.h5 --json",
        "stream decoy.h5 --batch-size 8 --format null", "stream decoy.h5 --batch-size 8 --format null --json",
        "stream decoy.h5 --batch-size 8 --format npy", "stream decoy.h5 --batch-size 8 --format webdataset",
    ]

    @Test("a full disk ends with 74 and a message", arguments: commands)
    func full(command: String) throws {
        let outcome = try Self.shell("rrdata \(command) > /dev/full")
        #expect(outcome.status == 74, "\(outcome.errors)")
        #expect(
            outcome.errors.contains("error: standard output: No space left on device"), "\(outcome.errors)")
    }

    @Test("so does no standard output at all, into whose place no file comes", arguments: commands)
    func closed(command: String) throws {
        let outcome = try Self.shell("rrdata \(command) >&-")
        #expect(outcome.status == 74, "\(outcome.errors)")
        #expect(outcome.errors.contains("error: standard output: Bad file descriptor"), "\(outcome.errors)")
    }

    @Test("a reader that has had enough is no error", arguments: commands)
    func closedPipe(command: String) throws {
        let outcome = try Self.shell("(sleep 0.2; rrdata \(command); echo $? >&2) | head -c 1 > /dev/null")
        #expect(outcome.errors.hasSuffix("0\n") && !outcome.errors.contains("error"), "\(outcome.errors)")
        let gone = try Self.shell("(sleep 0.2; rrdata \(command); echo $? >&2) | true")
        #expect(gone.errors.hasSuffix("0\n") && !gone.errors.contains("error"), "\(gone.errors)")
    }

    @Test("what an import made stays, though its report is lost")
    func importedAnyway() throws {
        let folder = try TemporaryFolder()
        for (target, status) in [("/dev/full", 74), ("&-", 74)] as [(String, Int32)] {
            let outcome = try Self.shell(
                "rrdata import pngs images -o \(folder.path("d.h5")) --force 2> /dev/null >\(target)")
            #expect(outcome.status == status)
            let found = try CommandLineTool.run(["validate", "d.h5"], in: folder.path)
            #expect(found.status == 0, "\(found.text)")
        }
    }

    @Test("faults that were found keep their code where a reader leaves early, and give way to a full disk")
    func faults() throws {
        let faulty = "rrdata validate masks.h5"
        #expect(try Self.shell(faulty).status == 1)
        #expect(try Self.shell("\(faulty) > /dev/full").status == 74)
        #expect(try Self.shell("(sleep 0.2; \(faulty); echo $? >&2) | true").errors == "1\n")
        #expect(try Self.shell("rrdata info no.h5 > /dev/full").status == 66)
    }
}
