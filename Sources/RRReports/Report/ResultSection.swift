internal import RRDatasets
internal import RRExplanation
internal import RRFormats
internal import RRTraining

/// How often models are right, by class and group, and what they take for what.
enum ResultSection {
    /// The rows of a table of classes; the worst are shown.
    private static let mostRows = 30

    static func html(_ results: [MeasuredRun], of dataset: Dataset) -> String {
        guard let first = results.first else { return "" }
        let split = first.split == "all" ? "all samples" : "the split \(first.split)"
        var text =
            "<p>Measured on \(first.evaluation.sampleCount) samples of \(Markup.name(dataset.path)), \(Markup.escaped(split.legible)). "
            + "Intervals are of 95 %: the chance of drawing samples, not that of training.</p>\n"
        text += figures(results)
        text += parts("class", results.map { ($0.name, $0.evaluation.perClass) })
        if results.contains(where: { $0.evaluation.perGroup != nil }) {
            text += parts("group", results.map { ($0.name, $0.evaluation.perGroup ?? []) })
        }
        text += comparisons(results)
        for result in results { text += ConfusionPart.html(result, of: results.count) }
        return text
    }

    private static func figures(_ results: [MeasuredRun]) -> String {
        func row(_ name: String, _ figure: (Evaluation) -> String?) -> [String] {
            [name] + results.map { figure($0.evaluation) ?? "–" }
        }
        func row(_ name: String, _ path: @escaping (ClassificationFigures) -> ClassificationFigures.Figure?)
            -> [String]
        {
            row(name) { evaluation in
                evaluation.classification.flatMap(path).map {
                    Figure.text($0.value) + Figure.bounds($0.interval)
                }
            }
        }
        func worst(_ part: Evaluation.PartFigures?) -> String? {
            part.map { "\(Figure.percent($0.accuracy))\(Figure.range($0.interval)), \(Markup.name($0.name))" }
        }
        var rows = [
            row("accuracy") { Figure.percent($0.accuracy) + Figure.range($0.accuracyInterval) },
            row("cross-entropy") { Figure.text($0.crossEntropy) },
            row("worst class") { worst($0.worstClass) },
        ]
        if results.contains(where: { $0.evaluation.worstGroup != nil }) {
            rows.append(row("worst group") { worst($0.worstGroup) })
        }
        rows += [
            row("balanced accuracy", \.balancedAccuracy), row("macro F1", \.macroF1),
            row("AUROC", \.areaUnderCurve), row("average precision", \.averagePrecision),
            row("expected calibration error", \.calibrationError), row("Brier score", \.brierScore),
        ]
        return PageParts.table(
            caption: "Figures of predictions", header: [""] + results.map { Markup.name($0.name) },
            rows: rows)
    }

    private static func parts(
        _ kind: String, _ runs: [(name: String, parts: [Evaluation.PartFigures])]
    ) -> String {
        guard let first = runs.first, first.parts.count > 1 else { return "" }
        let shown =
            first.parts.count <= mostRows
            ? first.parts
            : Array(first.parts.sorted { ($0.accuracy, $0.index) < ($1.accuracy, $1.index) }.prefix(mostRows))
        let rows = shown.map { part in
            [Markup.name(part.name), String(part.sampleCount)]
                + runs.map { run in
                    run.parts.first { $0.name == part.name }.map {
                        Figure.percent($0.accuracy) + Figure.range($0.interval)
                    } ?? "–"
                }
        }
        let table = PageParts.table(
            caption: shown.count == first.parts.count
                ? "Accuracy by \(kind)"
                : "Accuracy of the \(shown.count) worst of \(first.parts.count) \(kind)es of \(first.name)",
            header: [kind, "samples"] + runs.map { Markup.name($0.name) }, rows: rows)
        return PageParts.details("Accuracy by \(kind)", body: table)
    }

    /// McNemar's test of the first run with each of the others.
    private static func comparisons(_ results: [MeasuredRun]) -> String {
        guard let first = results.first, results.count > 1 else { return "" }
        let rows = results.dropFirst().compactMap { other -> [String]? in
            guard let comparison = try? RunComparison(first.evaluation, other.evaluation) else { return nil }
            let difference = comparison.right.difference.map {
                Figure.points($0) + Figure.pointRange(comparison.right.interval)
            }
            return [
                Markup.name(other.name), difference ?? "–", String(comparison.test.firstOnly),
                String(comparison.test.secondOnly), Figure.text(comparison.test.probability),
                String(comparison.changes.count),
            ]
        }
        return PageParts.table(
            caption: "Compared with \(first.name), sample by sample (McNemar’s test)",
            header: [
                "run", "accuracy", "only \(Markup.name(first.name)) is right", "only this one is", "p",
                "taken for another class",
            ], rows: rows)
    }
}
