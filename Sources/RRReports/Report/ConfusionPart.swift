internal import RRFormats
internal import RRTraining

/// What a model takes for what: numbers of few classes, a picture of many.
enum ConfusionPart {
    /// The classes whose confusion is a table; of more it is a picture.
    private static let largestTable = 20
    /// The rows and columns of a picture, so that each can be pointed at. Of more classes, several share one.
    private static let mostRows = 100
    /// The squares of all pictures of a page; each tells its numbers.
    private static let mostSquares = 6000
    /// The pairs of classes that are listed.
    private static let mostPairs = 15

    /// - Parameter runCount: the number of runs that the page has such a part for.
    static func html(_ result: MeasuredRun, of runCount: Int) -> String {
        let evaluation = result.evaluation
        guard let counts = evaluation.confusion, counts.count > 1 else { return "" }
        let title = "What \(result.name) takes for what"
        return counts.count <= largestTable
            ? table(counts, evaluation, title: title)
            : PageParts.details(
                title,
                body: picture(
                    counts, evaluation, of: result.name, title: title, mostSquares: mostSquares / runCount))
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

    /// A square for each pair of classes, or of as many classes each, darker where more of a row are taken so, and the most
    /// frequent mistakes.
    private static func picture(
        _ counts: [[Int]], _ evaluation: Evaluation, of run: String, title: String, mostSquares: Int
    ) -> String {
        var blocks = ConfusionBlocks(counts, width: (counts.count + mostRows - 1) / mostRows)
        while blocks.filledCount > mostSquares { blocks = ConfusionBlocks(counts, width: blocks.width + 1) }
        let size = blocks.counts.count
        func name(_ block: Int) -> String {
            let classes = block * blocks.width..<min((block + 1) * blocks.width, counts.count)
            let first = evaluation.className(of: classes.lowerBound)
            return classes.count == 1
                ? first : "\(first) to \(evaluation.className(of: classes.upperBound - 1))"
        }
        var squares = ""
        for (row, columns) in blocks.counts.enumerated() {
            let total = max(1, columns.reduce(0, +))
            for (column, count) in columns.enumerated() where count > 0 {
                let look = min(5, count * 6 / total)
                let shade = look < 5 ? " o\(look + 1)" : ""
                let text = "\(name(row)) taken for \(name(column)): \(count) of \(total)"
                squares +=
                    "<rect class=\"cell\(shade)\" x=\"\(column)\" y=\"\(row)\" width=\"1\" height=\"1\"><title>"
                    + "\(Markup.escaped(text.legible))</title></rect>"
            }
        }
        let shared =
            blocks.width == 1 ? "" : " \(blocks.width) neighbouring classes share a row and a column."
        return """
            <figure class="chart"><svg viewBox="0 0 \(size) \(size)" role="img" aria-label="\
            \(Markup.escaped(title.legible)): the table below has the most frequent mistakes"><rect class="ground" \
            width="\(size)" height="\(size)" stroke-width="0"/>\(squares)</svg></figure>

            """
                + PageParts.paragraph(
                    "A row is a class, from \(evaluation.className(of: 0).legible) at the top to "
                        + "\(evaluation.className(of: counts.count - 1).legible), a column what it is taken for, in the same order: what is right "
                        + "lies on the diagonal, and the darker a square, the more of its row lie there.\(shared) Resting on a square shows "
                        + "its numbers."
                )
                + mistakes(counts, evaluation, of: run)
    }

    private static func mistakes(_ counts: [[Int]], _ evaluation: Evaluation, of run: String) -> String {
        var pairs: [(label: Int, column: Int, count: Int)] = []
        for (label, row) in counts.enumerated() {
            for (column, count) in row.enumerated() where count > 0 && column != label {
                pairs.append((label, column, count))
            }
        }
        pairs.sort { ($1.count, $0.label, $0.column) < ($0.count, $1.label, $1.column) }
        let rows = pairs.prefix(mostPairs).map { pair in
            [
                Markup.name(evaluation.className(of: pair.label)),
                Markup.name(evaluation.className(of: pair.column)),
                "\(pair.count) of \(counts[pair.label].reduce(0, +))",
            ]
        }
        return PageParts.table(
            caption: "The most frequent mistakes of \(run)", header: ["class", "taken for", "samples"],
            rows: rows)
    }
}

/// A confusion matrix whose rows and columns are of several neighbouring classes each.
struct ConfusionBlocks {
    /// The number of classes in a row; the last may have fewer.
    let width: Int
    let counts: [[Int]]

    init(_ counts: [[Int]], width: Int) {
        self.width = max(width, 1)
        let size = (counts.count + self.width - 1) / self.width
        var sums = Array(repeating: Array(repeating: 0, count: size), count: size)
        for (label, row) in counts.enumerated() {
            for (column, count) in row.enumerated() where count > 0 {
                sums[label / self.width][column / self.width] += count
            }
        }
        self.counts = sums
    }

    var filledCount: Int { counts.reduce(0) { $0 + $1.count { $0 > 0 } } }
}
