import RRFormats
import RRReports
import RRSchemas
import RRTraining

/// What `rrdata sweep` says on its way and at its end.
final class SweepReport {
    private var training = TrainingReport()
    private var number = 0

    /// Shows how far the runs are: training as `train` does, and a line where a run ends.
    func show(_ progress: SweepProgress) {
        switch progress {
        case .training(let number, let way, let lambda1, let progress):
            if number != self.number {
                self.number = number
                Console.error("run \(number): \(way.rawValue), lambda1 \(Figure.text(lambda1))")
                training = TrainingReport()
            }
            training.show(progress)
        case .done(let run, let count):
            clear()
            let name =
                "run \(run.number) of \(count), \(run.way.rawValue), lambda1 \(Figure.text(run.lambda1))"
            Console.error(Message("\(name): \(Self.sentence(run))"))
        }
    }

    func clear() { training.clear() }

    private static func sentence(_ run: SweepRun) -> String {
        switch (run.outcome, run.figures) {
        case (.trained, let figures?):
            "accuracy \(Figure.percent(figures.accuracy)), "
                + "\(Figure.percent(figures.swappedAccuracy)) with another class's place"
        case (.constant, _): "tells nothing apart"
        case (.diverged, _): "diverged"
        default: "left out"
        }
    }

    /// A line a way and weight, in columns, and what is recommended.
    static func text(_ runs: [SweepRun], output: String) -> String {
        let rows = SweepRow.rows(of: runs)
        let hasGroups = runs.contains { $0.figures?.worstGroup != nil }
        func percent(_ row: SweepRow, _ figure: (SweepRun.Figures) -> Double?) -> String {
            row.mean(figure).map(Figure.percent) ?? "-"
        }
        let header =
            ["way", "lambda1", "accuracy", "with another's place", "swap difference"]
            + (hasGroups ? ["worst group"] : []) + ["penalty", ""]
        let lines = rows.map { row in
            [
                row.way.rawValue, Figure.text(row.lambda1), percent(row, \.accuracy),
                percent(row, \.swappedAccuracy), percent(row, \.swapDifference),
            ]
                + (hasGroups ? [percent(row, \.worstGroup)] : [])
                + [row.mean(\.penalty).map(Figure.text) ?? "-", remark(row)]
        }
        return Figure.columns([header] + lines) + "\n" + recommendation(rows, output: output)
    }

    private static func remark(_ row: SweepRow) -> String {
        let outcomes = Set(row.runs.map(\.outcome))
        return outcomes.contains(.diverged)
            ? "diverged"
            : outcomes.contains(.leftOut) ? "left out" : outcomes.contains(.constant) ? "constant" : ""
    }

    private static func recommendation(_ rows: [SweepRow], output: String) -> String {
        guard let row = SweepRow.recommended(of: rows), let score = row.mean(\.score) else {
            return "No run learnt to tell anything apart."
        }
        let name =
            row.way == .plain
            ? "plain cross-entropy: nothing that was tried is better"
            : "\(row.way.rawValue) with lambda1 \(Figure.text(row.lambda1))"
        let folders = row.runs.map { "\(output.legible)/\($0.folder)" }.joined(separator: ", ")
        return """
            Recommended: \(name), right for \(Figure.percent(score)) of the held-out samples whichever place they \
            stand in (\(folders)). These are trained without the held-out samples; train anew with all.
            """
    }

    static func json(_ runs: [SweepRun], output: String) -> JSONValue {
        let row = SweepRow.recommended(of: SweepRow.rows(of: runs))
        return [
            "output": .string(output), "runs": .array(runs.map(\.json)),
            "recommended": row.map {
                [
                    "way": .string($0.way.rawValue), "lambda1": .number($0.lambda1),
                    "score": $0.mean(\.score).map { .number($0) } ?? .null,
                    "runs": .array($0.runs.map { .integer($0.number) }),
                ]
            } ?? .null,
        ]
    }
}
