internal import RRDatasets
internal import RRExplanation
internal import RRFormats
internal import RRTraining

/// How often models are right, by class and group, and what they take for what.
enum ResultSection {
    /// The rows of a table of classes; the worst are shown.
    private static let mostRows = 30
    /// The classes whose confusion is a table of numbers; of more it is a picture.
    private static let largestTable = 20
    /// The pairs of classes that are listed.
    private static let mostPairs = 15
    /// The squares of a picture that tell their numbers.
    private static let mostTitles = 4000

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
        for result in results { text += confusion(result) }
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

extension ResultSection {
    private static func confusion(_ result: MeasuredRun) -> String {
        let evaluation = result.evaluation
        guard let counts = evaluation.confusion, counts.count > 1 else { return "" }
        let title = "What \(result.name) takes for what"
        return counts.count <= largestTable
            ? table(counts, evaluation, title: title)
            : PageParts.details(title, body: picture(counts, evaluation, title: title))
    }

    private static func table(_ counts: [[Int]], _ evaluation: Evaluation, title: String) -> String {
        let rows = counts.enumerated().map { label, row in
            [Markup.name(evaluation.className(of: label))] + row.map(String.init)
        }
        let header = ["is ↓ taken for →"] + counts.indices.map { Markup.name(evaluation.className(of: $0)) }
        let name = Markup.escaped(title.legible)
        let head = header.map { "<th scope=\"col\">\($0)</th>" }.joined()
        let body = rows.enumerated().map { label, row in
            let most = counts[label].enumerated().max { ($0.element, $1.offset) < ($1.element, $0.offset) }?
                .offset
            let cells = row.dropFirst().enumerated().map { column, cell in
                let look =
                    counts[label][column] == 0
                    ? "none" : column == label ? "hit" : column == most ? "miss" : "some"
                return "<td class=\"\(look)\">\(cell)</td>"
            }
            return "<tr><th scope=\"row\">\(row[0])</th>\(cells.joined())</tr>\n"
        }
        return """
            <div class="wide" role="region" aria-label="\(name)" tabindex="0">
            <table><caption>\(name)</caption><thead><tr>\(head)</tr></thead>
            <tbody>\(body.joined())</tbody></table></div>

            """
                + PageParts.paragraph(
                    "Bold is right; bold and underlined is a class that samples are taken for more often than for their own."
                )
    }

    /// A square for each pair of classes, darker where more of the class are taken so, and the most frequent mistakes.
    private static func picture(_ counts: [[Int]], _ evaluation: Evaluation, title: String) -> String {
        let size = counts.count
        let filled = counts.reduce(0) { $0 + $1.count { $0 > 0 } }
        var squares = ""
        for (label, row) in counts.enumerated() {
            let total = max(1, row.reduce(0, +))
            for (column, count) in row.enumerated() where count > 0 {
                let look = min(5, count * 6 / total)
                let shade = look < 5 ? " o\(look + 1)" : ""
                let square =
                    "<rect class=\"cell\(shade)\" x=\"\(column)\" y=\"\(label)\" width=\"1\" height=\"1\""
                if filled <= mostTitles {
                    let text =
                        "\(evaluation.className(of: label)) taken for \(evaluation.className(of: column)): \(count) of \(total)"
                    squares += square + "><title>\(Markup.escaped(text.legible))</title></rect>"
                } else {
                    squares += square + "/>"
                }
            }
        }
        var pairs: [(label: Int, column: Int, count: Int)] = []
        for (label, row) in counts.enumerated() {
            for (column, count) in row.enumerated() where count > 0 && column != label {
                pairs.append((label, column, count))
            }
        }
        pairs.sort { ($1.count, $0.label, $0.column) < ($0.count, $1.label, $1.column) }
        let rows = pairs.prefix(mostPairs).map {
            [
                Markup.name(evaluation.className(of: $0.label)),
                Markup.name(evaluation.className(of: $0.column)),
                String($0.count),
            ]
        }
        return """
            <figure class="chart"><svg viewBox="0 0 \(size) \(size)" role="img" aria-label="\
            \(Markup.escaped(title.legible)): a row a class, a column for what it is taken for; the table below has the most \
            frequent mistakes"><rect class="ground" width="\(size)" height="\(size)" stroke-width="0"/>\(squares)</svg></figure>

            """
                + PageParts.table(
                    caption: "The most frequent mistakes", header: ["class", "taken for", "samples"],
                    rows: rows)
    }
}
