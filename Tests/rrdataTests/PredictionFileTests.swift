import Foundation
import RRFormats
import RRSchemas
import TestSupport
import Testing

@Suite("The table of predictions")
struct PredictionFileTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// The rows of a table, each by the names of its columns; quoted fields may hold anything.
    private func rows(_ name: String) throws -> [[String: String]] {
        let text = try String(contentsOf: URL(filePath: folder.path(name)), encoding: .utf8)
        var (records, record, field, isQuoted): ([[String]], [String], String, Bool) = ([], [], "", false)
        var scalars = Array(text.unicodeScalars)[...]
        while let scalar = scalars.popFirst() {
            switch (scalar, isQuoted) {
            case ("\"", true) where scalars.first == "\"":
                field.unicodeScalars.append(scalar)
                scalars.removeFirst()
            case ("\"", _): isQuoted.toggle()
            case (",", false):
                record.append(field)
                field = ""
            case ("\r", false): #expect(scalars.first == "\n")
            case ("\n", false):
                records.append(record + [field])
                (record, field) = ([], "")
            default: field.unicodeScalars.append(scalar)
            }
        }
        let header = try #require(records.first)
        #expect(Set(header).count == header.count && field.isEmpty && record.isEmpty)
        return try records.dropFirst().map { record in
            try #require(record.count == header.count)
            return Dictionary(uniqueKeysWithValues: zip(header, record))
        }
    }

    @Test("its rows have the means that evaluate prints, and its probabilities the accuracy")
    func means() throws {
        let workshop = try Workshop.shared.get().path
        let path = folder.path("p.csv")
        let outcome = try CommandLineTool.run(
            ["evaluate", "plain", "decoy.h5", "--masks", "masks.h5", "--predictions", path, "--json"],
            in: workshop)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let found = try JSONValue(parsing: outcome.text)
        let rows = try rows("p.csv")
        #expect(rows.count == 60 && found["samples"] == 60)
        #expect(JSONSchema.evaluation.validate(found).isEmpty)
        func mean(_ column: String) throws -> Double {
            let values = rows.compactMap { $0[column].flatMap(Double.init) }
            try #require(!values.isEmpty, "\(column)")
            return values.reduce(0, +) / Double(values.count)
        }
        let explanation = found["explanation"]
        for (column, figure) in [
            ("cross_entropy", found["cross_entropy"]),
            ("gradient_share_inside_mask", explanation?["gradient_share_inside_mask"]),
            ("relevance_rank_accuracy", explanation?["relevance_rank_accuracy"]),
            ("pointing_game", explanation?["pointing_game"]),
            ("localization_area", explanation?["localization_area"]),
            ("randomized_flip", explanation?["prediction_flips"]),
            ("swap_inside_other_flip", explanation?["swap_test"]?["inside"]?["other"]?["flips"]),
            ("swap_inside_same_flip", explanation?["swap_test"]?["inside"]?["same"]?["flips"]),
            ("swap_outside_other_flip", explanation?["swap_test"]?["outside"]?["other"]?["flips"]),
        ] {
            let value = try #require(figure?.doubleValue, "\(column)")
            #expect(try abs(mean(column) - value) < 1e-9, "\(column)")
        }
        let right = rows.count { $0["label"] == $0["prediction"] }
        #expect(Double(right) / 60 == found["accuracy"]?.doubleValue)
        for row in rows {
            let probabilities = row.filter { $0.key.hasPrefix("p_") }.compactMapValues(Double.init)
            #expect(probabilities.count == 10 && abs(probabilities.values.reduce(0, +) - 1) < 1e-9)
            #expect(probabilities.max { $0.value < $1.value }?.key == "p_" + (row["prediction"] ?? ""))
        }
        #expect(rows.allSatisfy { $0["id"]?.hasPrefix("test/") == true && $0["group"] == nil })
    }

    @Test(
        "names with commas, quotes and line ends are quoted, groups are named, and without masks there are no figures"
    )
    func quoting() throws {
        for (name, color) in [("a,b", 10), ("c \"d\"", 200)] {
            for number in 0..<4 {
                let image = PNGImage(
                    width: 4, height: 4, channels: 1, bitDepth: 8,
                    samples: (0..<16).map { UInt8(color + $0 % 4 + number) })
                try folder.write(PNGEncoder.encode(image), to: "images/\(name)/\(number), \"x\".png")
            }
        }
        for line in [
            ["import", "pngs", "images", "-o", "d.h5"],
            ["train", "d.h5", "--model", "mlp", "--epochs", "1", "-o", "run"],
            ["evaluate", "run", "d.h5", "--predictions", "p.csv"],
        ] {
            let outcome = try CommandLineTool.run(line, in: folder.path)
            #expect(outcome.status == 0, "\(outcome.errors)")
        }
        let rows = try rows("p.csv")
        #expect(rows.count == 8 && Set(rows.compactMap { $0["label"] }) == ["a,b", "c \"d\""])
        #expect(rows[0]["id"] == "a,b/0, \"x\"" && rows[0]["p_c \"d\""] != nil)
        #expect(rows[0]["pointing_game"] == nil)
    }

    @Test("a table that exists is replaced by --force alone, and a failure leaves none")
    func whole() throws {
        let workshop = try Workshop.shared.get().path
        let path = folder.path("p.csv")
        try folder.write([1], to: "p.csv")
        let command = ["evaluate", "plain", "decoy.h5", "--predictions", path]
        #expect(try CommandLineTool.run(command, in: workshop).status == 73)
        #expect(try CommandLineTool.run(command + ["--force"], in: workshop).status == 0)
        #expect(try rows("p.csv").count == 60)
        let failure = try CommandLineTool.run(
            ["evaluate", "plain", "decoy.h5", "--split", "dev", "--predictions", folder.path("q.csv")],
            in: workshop)
        #expect(failure.status != 0)
        #expect(try folder.names() == ["p.csv"])
        let alone = try CommandLineTool.run(["evaluate", "plain", "decoy.h5", "--force"], in: workshop)
        #expect(alone.status == 64 && alone.errors.contains("--predictions"))
        let itself = try CommandLineTool.run(
            ["evaluate", "plain", "decoy.h5", "--predictions", "decoy.h5", "--force"], in: workshop)
        #expect(itself.status == 64, "\(itself.errors)")
    }
}
