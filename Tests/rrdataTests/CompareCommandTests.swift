import Foundation
import RRSchemas
import TestSupport
import Testing

@Suite("compare at the command line")
struct CompareCommandTests {
    /// A model as it was drawn, which takes other samples for other classes than a trained one.
    private func untrained(in folder: TemporaryFolder) throws -> String {
        let path = folder.path("untrained")
        let outcome = try Workshop.run(
            "train", "decoy.h5", "--model", "mlp", "--epochs", "1", "--learning-rate", "0", "-o", path)
        #expect(outcome.status == 0, "\(outcome.errors)")
        return path
    }

    @Test("each run's figures are those of evaluate, and the pair's are counted from its tables")
    func figures() throws {
        let folder = try TemporaryFolder()
        let other = try untrained(in: folder)
        let found = try Workshop.json("compare", "plain", other, "decoy.h5", "--masks", "masks.h5")
        #expect(JSONSchema.comparison.validate(found).isEmpty)
        var rows: [[[Substring]]] = []
        for (number, run) in ["plain", other].enumerated() {
            let path = folder.path("\(number).csv")
            let alone = try Workshop.json(
                "evaluate", run, "decoy.h5", "--masks", "masks.h5", "--predictions", path)
            let entry = try #require(found["runs"]?.arrayValue?[number])
            #expect(entry["run"] == .string(run) && entry["evaluation"] == alone)
            let text = try String(contentsOf: URL(filePath: path), encoding: .utf8)
            rows.append(
                text.split(whereSeparator: \.isNewline).dropFirst().map { $0.split(separator: ",") })
        }
        // The columns are id, label and prediction; the names of these classes need no quotes.
        let pairs = zip(rows[0], rows[1]).map { one, other in (one[1] == one[2], other[1] == other[2]) }
        let pair = try #require(found["pairs"]?.arrayValue?.first)
        let (firstOnly, secondOnly) = (pairs.count { $0 && !$1 }, pairs.count { !$0 && $1 })
        #expect(pair["first_only"] == .integer(firstOnly) && pair["second_only"] == .integer(secondOnly))
        #expect(pair["both_right"] == .integer(pairs.count { $0 && $1 }))
        #expect(pair["mcnemar"]?["method"] == "exact")
        let changed = zip(rows[0], rows[1]).filter { $0[2] != $1[2] }
        let listed = try #require(pair["changed"]?.arrayValue)
        #expect(!changed.isEmpty && listed.count == changed.count)
        for ((one, other), change) in zip(changed, listed) {
            #expect(change["id"] == .string(String(one[0])) && change["label"] == .string(String(one[1])))
            #expect(
                change["first"] == .string(String(one[2])) && change["second"] == .string(String(other[2])))
        }
    }

    @Test("the text has a column for each run, and lists as many changes as are asked for")
    func text() throws {
        let folder = try TemporaryFolder()
        let other = try untrained(in: folder)
        let outcome = try Workshop.run(
            "compare", "plain", other, "plain", "decoy.h5", "--masks", "masks.h5", "--list", "2")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let lines = outcome.text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.contains { $0.hasPrefix("flips, A of another place") })
        #expect(lines.contains("plain and plain"))
        // A run differs in nothing from itself.
        #expect(outcome.text.contains("p = 1\n  taken for other classes: 0"))
        #expect(lines.count { $0.hasPrefix("  test/") } == 2)
    }

    @Test("one run, no dataset and options without masks are refused")
    func refusals() throws {
        for (arguments, status, message) in [
            (["plain", "decoy.h5"], 64, "two runs"),
            (["plain", "right", "decoy.h5", "--no-swap-test"], 64, "--masks"),
            (["plain", "right", "decoy.h5", "--list=-1"], 64, "--list"),
            (["plain", "decoy.h5", "decoy.h5"], 66, "decoy.h5"),
        ] as [([String], Int32, String)] {
            let outcome = try CommandLineTool.run(
                ["compare"] + arguments, in: Workshop.shared.get().path)
            #expect(outcome.status == status && outcome.errors.contains(message), "\(outcome.errors)")
        }
    }
}
