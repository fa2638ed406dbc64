import RRExplanation
import RRFormats
import RRReports
import RRSchemas
import RRTraining

/// What `compare` says.
struct ComparisonReport {
    /// The runs as they were given.
    let names: [String]
    let reports: [EvaluationReport]
    /// The first run with each of the others.
    let comparisons: [RunComparison]
    /// Of the samples of the dataset, by row.
    let ids: [String]
    /// The changed samples that the text lists for each pair.
    let listedCount: Int

    var json: JSONValue {
        [
            "samples": .integer(reports.first?.evaluation.sampleCount ?? 0),
            "runs": .array(
                zip(names, reports).map { ["run": .string($0), "evaluation": $1.json] }),
            "pairs": .array(zip(names.dropFirst(), comparisons).map(json)),
        ]
    }

    private func json(_ name: String, _ comparison: RunComparison) -> JSONValue {
        [
            "first": .string(names[0]), "second": .string(name),
            "both_right": .integer(comparison.right.both), "neither": .integer(comparison.right.neither),
            "first_only": .integer(comparison.test.firstOnly),
            "second_only": .integer(comparison.test.secondOnly),
            "accuracy_difference": .figure(comparison.right.difference),
            "accuracy_difference_interval": .figure(comparison.right.interval),
            "mcnemar": [
                "method": .string(comparison.test.method.rawValue), "p": .number(comparison.test.probability),
            ],
            "changed": .array(
                comparison.changes.map {
                    [
                        "id": .string(ids[$0.index]), "label": .string($0.label), "first": .string($0.first),
                        "second": .string($0.second),
                    ]
                }),
        ]
    }

    var text: String {
        var lines = table
        for (name, comparison) in zip(names.dropFirst(), comparisons) {
            lines += ["", "\(names[0].legible) and \(name.legible)"] + Self.lines(comparison)
            for change in comparison.changes.prefix(listedCount) {
                lines.append(
                    "  \(ids[change.index].legible), \(change.label.legible): "
                        + "\(change.first.legible), then \(change.second.legible)")
            }
            if comparison.changes.count > listedCount {
                lines.append("  and \(comparison.changes.count - listedCount) more")
            }
        }
        return lines.joined(separator: "\n")
    }

    private static func lines(_ comparison: RunComparison) -> [String] {
        let (test, right) = (comparison.test, comparison.right)
        let method = test.method == .exact ? "exact" : "chi-square"
        return [
            "  both right about \(right.both), neither about \(right.neither), the first alone about "
                + "\(test.firstOnly), the second alone about \(test.secondOnly)",
            "  the second has \(Figure.points(right.difference ?? 0))\(Figure.pointRange(right.interval)) of accuracy; "
                + "McNemar's test, \(method): p = \(Figure.text(test.probability))",
            "  taken for other classes: \(comparison.changes.count)",
        ]
    }

    /// A column for each run, a row for each figure that any run has.
    private var table: [String] {
        let rows =
            [("", names.map(\.legible))]
            + Self.figures.compactMap { name, figure in
                let cells = reports.map(figure)
                return cells.allSatisfy { $0 == nil } ? nil : (name, cells.map { $0 ?? "-" })
            }
        let first = rows.map(\.0.count).max() ?? 0
        let widths = names.indices.map { column in rows.map { $0.1[column].count }.max() ?? 0 }
        return rows.map { name, cells in
            let padded = zip(cells, widths).map { String(repeating: " ", count: $1 - $0.count) + $0 }
            return name + String(repeating: " ", count: first - name.count) + "  "
                + padded.joined(separator: "  ")
        }
    }

    private static var figures: [(String, (EvaluationReport) -> String?)] {
        [
            ("accuracy", { percent($0.evaluation.accuracy, $0.evaluation.accuracyInterval) }),
            ("cross-entropy", { Figure.text($0.evaluation.crossEntropy) }),
            ("worst class", { $0.evaluation.worstClass.flatMap { percent($0.accuracy, $0.interval) } }),
            ("worst group", { $0.evaluation.worstGroup.flatMap { percent($0.accuracy, $0.interval) } }),
            ("balanced accuracy", { text($0.evaluation.classification?.balancedAccuracy) }),
            ("AUROC", { text($0.evaluation.classification?.areaUnderCurve) }),
            ("calibration error", { text($0.evaluation.classification?.calibrationError) }),
            (
                "gradient inside A",
                { $0.evaluation.explanation?.gradientShare.insideMask.map(Figure.percent) }
            ),
            ("  by chance", { $0.evaluation.explanation?.gradientShare.maskedArea.map(Figure.percent) }),
            ("flips, A randomised", { percent($0.evaluation.explanation?.flips.share) }),
            (
                "flips, A of another place",
                { percent($0.evaluation.explanation?.swapTest.inside.other.share) }
            ),
            (
                "flips, A of the same place",
                { percent($0.evaluation.explanation?.swapTest.inside.same.share) }
            ),
            ("  the difference", { difference($0.evaluation.explanation?.swapTest.inside) }),
        ]
    }

    private static func percent(_ share: Double?, _ interval: ConfidenceInterval? = nil) -> String? {
        share.map { Figure.percent($0) + Figure.range(interval) }
    }

    private static func text(_ figure: ClassificationFigures.Figure?) -> String? {
        figure.map { Figure.text($0.value) }
    }

    private static func difference(_ flips: SwapFlips?) -> String? {
        guard let flips, let difference = flips.difference else { return nil }
        return Figure.points(difference) + Figure.pointRange(flips.pairs.interval)
    }
}
