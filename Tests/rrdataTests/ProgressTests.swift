import Foundation
import RRSchemas
import TestSupport
import Testing

@Suite("how far a command is, for people and programs")
struct ProgressTests {
    private func objects(_ errors: String) throws -> [JSONValue] {
        try errors.split(separator: "\n").filter { $0.hasPrefix("{") }.map {
            try JSONValue(parsing: String($0))
        }
    }

    @Test("--progress json is an object a line, up to the last step")
    func json() throws {
        let folder = try TemporaryFolder()
        let outcome = try Workshop.run(
            "train", "decoy.h5", "--model", "mlp", "--epochs", "3", "--validation", "test", "--progress",
            "json", "-o",
            folder.path("run"))
        #expect(outcome.status == 0, "\(outcome.errors)")
        let told = try objects(outcome.errors)
        let last = try #require(told.last)
        #expect(last["done"] == last["of"] && last["epoch"] == 3 && last["epochs"] == 3)
        #expect(told.filter { $0["is_end_of_epoch"] == true }.count == 3)
        for name in ["loss", "cross_entropy", "accuracy", "validation_accuracy", "seconds", "seconds_left"] {
            #expect(last[name]?.doubleValue != nil, "\(name)")
        }
        #expect(outcome.text.contains("last epoch"))
        // Other commands count what they have done.
        let evaluated = try objects(
            Workshop.run("evaluate", "plain", "decoy.h5", "--masks", "masks.h5", "--progress", "json").errors)
        #expect(evaluated.last.map { $0["done"] == $0["of"] && $0["what"]?.stringValue != nil } == true)
        let still = try Workshop.run(
            "train", "decoy.h5", "--model", "mlp", "--epochs", "1", "--progress", "none", "-o",
            folder.path("b"))
        #expect(still.status == 0 && !still.errors.contains("epoch 1"))
    }

    @Test("in a pipe there are no escape codes and no lines that are written over")
    func plainText() throws {
        let folder = try TemporaryFolder()
        for words in [
            ["train", "decoy.h5", "--model", "mlp", "--epochs", "1", "-o", folder.path("run")],
            ["evaluate", "plain", "decoy.h5", "--masks", "masks.h5"], ["info", "plain"], ["train", "--help"],
            ["import", "pngs", "images", "-o", folder.path("d.h5")], [],
        ] {
            let outcome = try CommandLineTool.run(words, in: Workshop.shared.get().path)
            for text in [outcome.text, outcome.errors] {
                #expect(!text.contains("\u{1B}") && !text.contains("\r"), "\(words)")
            }
        }
    }

    @Test("the version names the libraries and the kernels that results come from")
    func version() throws {
        let lines = try CommandLineTool.run(["--version"], in: "/").text.split(separator: "\n")
        try #require(lines.count == 3)
        #expect(lines[0].wholeMatch(of: /rrdata \d+\.\d+\.\d+/) != nil)
        for library in [
            "libpng 1.", "libjpeg-turbo", "HDF5 1.", "libdeflate", "Zstandard", "OpenSSL", "Expat 2.",
            "OpenBLAS",
        ] {
            #expect(lines[1].contains(library), "\(library)")
        }
        let made = try JSONValue(
            parsing: String(decoding: Workshop.bytes("plain/config.json"), as: UTF8.self))[
                "linear_algebra_kernel"]?.stringValue
        #expect(lines[2].hasSuffix(try #require(made)))
    }

    @Test("who interrupts a command learns what is kept, and how to go on")
    func interrupted() throws {
        let folder = try TemporaryFolder()
        let process = Process()
        process.executableURL = URL(filePath: CommandLineTool.path)
        process.arguments = [
            "train", "decoy.h5", "--model", "mlp", "--epochs", "5000", "--resume", "-o", folder.path("run"),
        ]
        process.currentDirectoryURL = URL(filePath: try Workshop.shared.get().path)
        let pipe = Pipe()
        process.standardError = pipe
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        let state = folder.path("run.unfinished/checkpoint/state.json")
        while process.isRunning, !FileManager.default.fileExists(atPath: state) { usleep(2000) }
        process.interrupt()
        let errors = String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 130)
        #expect(errors.contains("interrupted: ") && errors.contains("run.unfinished has the run's first"))
        #expect(errors.contains("--resume goes on"))
    }
}
