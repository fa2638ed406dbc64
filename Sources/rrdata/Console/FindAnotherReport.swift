import RRExplanation
import RRFormats
import RRReports
import RRSchemas
import RRTraining

/// What `rrdata find-another` says on its way and at its end.
final class FindAnotherReport {
    private let roundCount: Int
    private var training = TrainingReport()
    private let line = ProgressLine()
    private var round = 0

    init(roundCount: Int) { self.roundCount = roundCount }

    /// Shows how far the rounds are: training as `train` does, and a line where a round begins and where it ends.
    func show(_ progress: FindAnotherProgress) {
        switch progress {
        case .training(let round, let progress):
            if round != self.round {
                self.round = round
                Console.error("round \(round) of \(roundCount)")
                training = TrainingReport()
            }
            training.show(progress)
        case .masks(_, let done, let total):
            training.clear()
            line.show("samples", done: done, of: total)
        case .done(let round):
            clear()
            Console.error(Message(Self.sentence(round, of: roundCount)))
        }
    }

    func clear() {
        training.clear()
        line.clear()
    }

    private static func sentence(_ round: FindAnotherRound, of count: Int) -> String {
        let inside = round.shareInsideEarlier.map {
            ", \(Figure.percent($0)) of its mask inside the earlier ones"
        }
        var text =
            "round \(round.number) of \(count): accuracy \(Figure.percent(round.accuracy))\(inside ?? "")"
        for earlier in round.sharedRegions {
            text +=
                "\n  round \(round.number) and round \(earlier): both models may read the same region, since as many "
                + "predictions of either change when it is swapped"
        }
        return text
    }

    /// A line a round, in columns.
    static func table(_ rounds: [FindAnotherRound]) -> String {
        let hasGroups = rounds.contains { $0.worstGroup != nil }
        let header =
            ["round", "lambda1", "accuracy"] + (hasGroups ? ["worst group"] : []) + [
                "mask inside earlier ones", "flips, own region swapped", "may read the region of",
                "ones a mask",
            ]
        let rows = rounds.map { round in
            let figures = [Figure.percent(round.accuracy)] + (hasGroups ? [percent(round.worstGroup)] : [])
            let regions = [
                percent(round.shareInsideEarlier), percent(round.regions.last?.byOther.share),
                round.sharedRegions.isEmpty
                    ? "-" : round.sharedRegions.map(String.init).joined(separator: ", "),
                Figure.text(Double(round.oneCount) / Double(max(round.annotatedCount, 1))),
            ]
            return ["\(round.number)", Figure.text(round.lambda1)] + figures + regions
        }
        return Figure.columns([header] + rows)
    }

    private static func percent(_ share: Double?) -> String { share.map(Figure.percent) ?? "-" }

    static func json(_ rounds: [FindAnotherRound], output: String) -> JSONValue {
        ["output": .string(output), "rounds": .array(rounds.map(\.json))]
    }
}
