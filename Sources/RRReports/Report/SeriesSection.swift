internal import Glibc
internal import RRExplanation
public import RRFormats
public import RRTraining

/// A series of trainings that a report is about.
public struct ReportedSeries: Sendable {
    /// What it is called in the report.
    public let name: String
    public let series: TrainingSeries

    /// Reads what the folder of a series says.
    ///
    /// - Throws: as `TrainingSeries.init(path:)`.
    public init(path: String, name: String? = nil) throws(FormatError) {
        series = try TrainingSeries(path: path)
        self.name = name ?? path
    }
}

/// What the trainings of a sweep, or of a search for other explanations, came to.
enum SeriesSection {
    static func html(_ reported: [ReportedSeries]) -> String {
        reported.map { one in
            let body =
                switch one.series {
                case .sweep(let runs): sweep(SweepRow.rows(of: runs), named: one.name)
                case .rounds(let rounds): search(rounds, named: one.name)
                }
            return "<h3>\(Markup.name(one.name))</h3>\n" + body
        }.joined()
    }

    private static func sweep(_ rows: [SweepRow], named name: String) -> String {
        let hasGroups = rows.contains { row in row.runs.contains { $0.figures?.worstGroup != nil } }
        func percent(_ row: SweepRow, _ figure: (SweepRun.Figures) -> Double?) -> String {
            row.mean(figure).map(Figure.percent) ?? "–"
        }
        let best = SweepRow.recommended(of: rows)
        let cells = rows.map { row in
            [
                row.way.rawValue, row.way == .plain ? "–" : Figure.text(row.lambda1), String(row.runs.count),
                percent(row, \.accuracy), percent(row, \.swappedAccuracy), percent(row, \.score),
                percent(row, \.swapDifference),
            ]
                + (hasGroups ? [percent(row, \.worstGroup)] : [])
                + [row.mean(\.penalty).map { Figure.text($0) } ?? "–", remark(row, isBest: row == best)]
        }
        let table = PageParts.table(
            caption: "The runs of \(name) by way and weight, means over seeds",
            header: [
                "way", "λ1", "runs", "accuracy", "with another’s place", "the lesser of both",
                "swap difference",
            ] + (hasGroups ? ["worst group"] : []) + ["penalty", ""],
            rows: cells)
        let advice: String
        if let best, let score = best.mean(\.score) {
            let way =
                best.way == .plain
                ? "plain cross-entropy: nothing that was tried is better"
                : "\(best.way.rawValue) with λ1 = \(Figure.text(best.lambda1))"
            advice =
                "Recommended is \(way), right for \(Figure.percent(score)) of the samples that were held out whichever place they "
                + "stand in. These runs are trained without those samples."
        } else {
            advice = "No run learnt to tell anything apart."
        }
        return chart(rows) + PageParts.paragraph(advice) + table
    }

    private static func remark(_ row: SweepRow, isBest: Bool) -> String {
        let outcomes = Set(row.runs.map(\.outcome))
        return isBest
            ? "recommended"
            : outcomes.contains(.diverged)
                ? "diverged"
                : outcomes.contains(.leftOut)
                    ? "left out" : outcomes.contains(.constant) ? "tells nothing apart" : ""
    }

    /// What each way is right for over its weights.
    private static func chart(_ rows: [SweepRow]) -> String {
        let ways = rows.map(\.way).uniqued().filter { $0 != .plain }
        let weights = rows.filter { $0.way != .plain && $0.lambda1 > 0 }.map { log10($0.lambda1) }
        guard let least = weights.min(), let largest = weights.max(), largest > least else { return "" }
        var lines = ways.map { way in
            ChartLine(
                way.rawValue,
                rows.filter { $0.way == way && $0.lambda1 > 0 }.compactMap { row in
                    row.mean(\.score).map { (log10(row.lambda1), $0) }
                }.sorted { $0.x < $1.x })
        }
        if let plain = rows.first(where: { $0.way == .plain })?.mean(\.score) {
            lines.append(ChartLine("plain", [(least, plain), (largest, plain)]))
        }
        var chart = LineChart(
            title: "Right for whichever place a sample stands in, over λ1", xName: "weight", lines: lines)
        chart.value = { Figure.percent($0) }
        chart.xText = { Figure.text(pow(10, $0)) }
        chart.maySpanOrders = false
        return "<div class=\"charts\">\(chart.html())</div>\n"
    }

    private static func search(_ rounds: [FindAnotherRound], named name: String) -> String {
        let hasGroups = rounds.contains { $0.worstGroup != nil }
        func percent(_ share: Double?) -> String { share.map(Figure.percent) ?? "–" }
        let rows = rounds.map { round in
            [String(round.number), Figure.text(round.lambda1), Figure.percent(round.accuracy)]
                + (hasGroups ? [percent(round.worstGroup)] : [])
                + [
                    percent(round.shareInsideEarlier), percent(round.regions.last?.byOther.share),
                    round.sharedRegions.isEmpty
                        ? "–" : round.sharedRegions.map(String.init).joined(separator: ", "),
                    Figure.text(Double(round.oneCount) / Double(max(round.annotatedCount, 1))),
                ]
        }
        return PageParts.table(
            caption: "The rounds of \(name)",
            header: ["round", "λ1", "accuracy"] + (hasGroups ? ["worst group"] : []) + [
                "its masks inside earlier ones", "predictions that change with its own region",
                "may read the region of round", "pixels a mask",
            ],
            rows: rows)
            + PageParts.paragraph(
                "Each round is trained not to look where the models of earlier rounds do. Where two rounds may read the same region, as many "
                    + "predictions of either change when it is swapped.")
    }
}
