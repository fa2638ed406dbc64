import Foundation
import RRDatasets
import RRSchemas
import RRTensor
import TestSupport
import Testing

@Suite("rrdata find-another")
struct FindAnotherCommandTests {
    private static let options = [
        "find-another", "toy.h5", "--rounds", "2", "--model", "mlp", "--weight-decay", "1e-4",
        "--batch-size", "64", "--epochs", "15",
    ]

    private func folder() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        let outcome = try CommandLineTool.run(
            [
                "toy-colors", "-o", "toy.h5", "--corner-masks-output", "corners.h5", "--top-masks-output",
                "top.h5", "--train", "5000", "--test", "200", "--seed", "1",
            ], in: folder.path)
        #expect(outcome.status == 0, "\(outcome.errors)")
        return folder
    }

    /// The share of the ones of a mask set that lie in some pixels.
    private func share(_ name: String, in folder: TemporaryFolder, of pixels: [Int]) throws -> Double {
        let dataset = try Dataset(path: folder.path("toy.h5"))
        let masks = try MaskSet(path: folder.path(name), for: dataset)
        var counts = Array(repeating: 0, count: 25)
        for row in masks.rows {
            for element in 0..<75 where masks.bits[row, element] { counts[element % 25] += 1 }
        }
        return Double(pixels.reduce(0) { $0 + counts[$1] }) / Double(counts.reduce(0, +))
    }

    @Test("of the toy colours the first model uses the corners, and the second must use the top")
    func toyColors() throws {
        let folder = try folder()
        let outcome = try CommandLineTool.run(Self.options + ["-o", "others", "--json"], in: folder.path)
        try #require(outcome.status == 0, "\(outcome.errors)")
        let result = try JSONValue(parsing: outcome.text)
        let rounds = try #require(result["rounds"]?.arrayValue)
        #expect(result["output"] == "others" && rounds.count == 2)
        for (round, (lambda1, accuracy)) in zip(rounds, [(0.0, 0.95), (1000, 0.75)]) {
            #expect(round["lambda1"]?.doubleValue == lambda1)
            #expect((round["accuracy"]?.doubleValue ?? 0) > accuracy)
            #expect(round["annotated"] == 5200 && round["zero_gradient"] == 0)
        }
        #expect(rounds[0]["share_inside_earlier"] == .null)
        #expect((rounds[1]["share_inside_earlier"]?.doubleValue ?? 1) <= 0.02)
        #expect(try share("others/round-1/masks.h5", in: folder, of: [0, 4, 20, 24]) >= 0.95)
        #expect(try share("others/round-2/masks.h5", in: folder, of: [1, 2, 3]) >= 0.95)
        #expect(outcome.errors.contains("round 2 of 2: accuracy "))
        // Swapping the corners changes the first model's mind, and not the second's.
        let regions = try #require(rounds[1]["regions"]?.arrayValue)
        let own = try #require(rounds[0]["regions"]?.arrayValue)
        #expect(own.count == 1 && regions.count == 2 && regions[1]["round"] == 2)
        #expect((own[0]["flips_by_other"]?.doubleValue ?? 0) > 0.5)
        #expect((regions[0]["flips_by_other"]?.doubleValue ?? 1) < 0.2)
        #expect(rounds[1]["may_read_the_same_region_as"] == [])
        #expect(!outcome.errors.contains("may read the same region"))

        let told = try CommandLineTool.run(["info", "others", "--json"], in: folder.path)
        let info = try JSONValue(parsing: told.text)
        #expect(info["format"] == "rrdata.find-another" && info["path"] == "others")
        #expect(info["rounds"]?.arrayValue?.count == 2)

        // The files are what the other commands read, and the accuracy is that of the split test.
        let valid = try CommandLineTool.run(
            [
                "validate", "toy.h5", "others/round-1/masks.h5", "others/round-2/masks-so-far.h5",
                "others/round-2/run",
            ],
            in: folder.path)
        #expect(valid.status == 0, "\(valid.text)")
        let evaluated = try CommandLineTool.run(
            ["evaluate", "others/round-2/run", "toy.h5", "--json"], in: folder.path)
        #expect(try JSONValue(parsing: evaluated.text)["accuracy"] == rounds[1]["accuracy"])
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path("others")).sorted()
                == ["find-another.json", "round-1", "round-2"])
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path("others/round-2")).sorted()
                == ["masks-so-far.h5", "masks.h5", "run"])
    }

    @Test("Ctrl-C and kill -9 leave nothing under the name, and --resume ends with a table of all rounds")
    func stopped() throws {
        let folder = try folder()
        let short = Self.options.map { $0 == "15" ? "2" : $0 }
        let whole = try CommandLineTool.run(short + ["-o", "whole"], in: folder.path)
        #expect(whole.status == 0, "\(whole.errors)")
        for (path, signal) in [("round-1/run.unfinished", SIGINT), ("round-2/run.unfinished", SIGKILL)] {
            let status = try CommandLineTool.run(
                short + ["-o", "others", "--checkpoint-every", "0", "--resume"], in: folder.path,
                sending: signal,
                onceThereIs: "others.unfinished/\(path)")
            if signal == SIGINT { #expect(status == 130) }
            #expect(!FileManager.default.fileExists(atPath: folder.path("others")))
        }
        let other = try CommandLineTool.run(
            short + ["-o", "others", "--resume", "--target", "label"], in: folder.path)
        #expect(other.status == 64 && other.errors.contains("--target"), "\(other.errors)")
        let resumed = try CommandLineTool.run(short + ["-o", "others", "--resume"], in: folder.path)
        #expect(resumed.status == 0, "\(resumed.errors)")
        #expect(resumed.text == whole.text)
        let lines = resumed.text.split(separator: "\n")
        #expect(lines.count == 3 && lines[0].hasPrefix("round") && lines[1].contains(" -"))
        #expect(Set(lines.map(\.count)).count == 1)
    }
}
