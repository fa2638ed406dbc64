package import RRSchemas

/// What one training of a sweep came to, on the samples that were held out.
public struct SweepRun: Equatable, Sendable {
    /// From 1.
    public let number: Int
    public let way: SweepWay
    public let lambda1: Double
    public let seed: UInt64
    /// How the training ended.
    public let outcome: Outcome
    /// Nil where the training diverged or was left out.
    public let figures: Figures?

    public enum Outcome: String, CaseIterable, Sendable {
        case trained
        /// The model gives nearly every sample the same answer: its cross-entropy is within a twentieth of that of the
        /// classes' shares, or it is right no more often than the most frequent class is.
        case constant
        case diverged
        /// Two smaller weights before it had a constant or diverged model, and larger ones only make more of it.
        case leftOut = "left-out"
    }

    /// What was measured on the samples that were held out.
    public struct Figures: Equatable, Sendable {
        /// The share of samples that were recognised.
        public let accuracy: Double
        public let crossEntropy: Double
        /// The share of annotated samples that were recognised with what lies inside A taken from a sample of another class.
        public let swappedAccuracy: Double
        /// How many more predictions that changed than a sample of the same class; nil where no sample has both.
        public let swapDifference: Double?
        /// The accuracy of the group that is recognised worst; nil without groups.
        public let worstGroup: Double?
        /// The penalty over the last epoch of the training, before λ1; nil where there was none.
        public let penalty: Double?

        /// What runs are chosen by: neither the samples as they are nor those in another's place may be got wrong.
        public var score: Double { min(accuracy, swappedAccuracy) }
    }
}

extension SweepRun: SeriesEntry {
    static let seriesName = "sweep"
    static let noun = "run"

    /// Where its run is inside the folder.
    public var folder: String { "\(Self.noun)-\(number)/run" }

    package static let firstRun = "\(noun)-1/run"

    /// The object that `sweep.json` has for the run.
    package var json: JSONValue {
        var members: [String: JSONValue] = [
            "number": .integer(number), "way": .string(way.rawValue), "lambda1": .number(lambda1),
            "seed": .string(String(seed)), "outcome": .string(outcome.rawValue),
        ]
        if let figures {
            members["accuracy"] = .number(figures.accuracy)
            members["cross_entropy"] = .number(figures.crossEntropy)
            members["swapped_accuracy"] = .number(figures.swappedAccuracy)
            members["swap_difference"] = figures.swapDifference.map { .number($0) } ?? .null
            members["worst_group"] = figures.worstGroup.map { .number($0) } ?? .null
            members["penalty"] = figures.penalty.map { .number($0) } ?? .null
            members["score"] = .number(figures.score)
        }
        return .object(members)
    }

    /// Reads the object of `sweep.json`; nil where a field is missing.
    init?(_ json: JSONValue) {
        guard let number = json["number"]?.integerValue,
            let way = json["way"]?.stringValue.flatMap(SweepWay.init),
            let lambda1 = json["lambda1"]?.doubleValue,
            let seed = json["seed"]?.stringValue.flatMap({ UInt64($0) }),
            let outcome = json["outcome"]?.stringValue.flatMap(Outcome.init)
        else { return nil }
        var figures: Figures?
        if let accuracy = json["accuracy"]?.doubleValue {
            guard let crossEntropy = json["cross_entropy"]?.doubleValue,
                let swapped = json["swapped_accuracy"]?.doubleValue
            else { return nil }
            figures = Figures(
                accuracy: accuracy, crossEntropy: crossEntropy, swappedAccuracy: swapped,
                swapDifference: json["swap_difference"]?.doubleValue,
                worstGroup: json["worst_group"]?.doubleValue, penalty: json["penalty"]?.doubleValue)
        }
        self.init(
            number: number, way: way, lambda1: lambda1, seed: seed, outcome: outcome, figures: figures)
    }
}

/// The runs of one way and one λ1, over all seeds.
public struct SweepRow: Equatable, Sendable {
    public let way: SweepWay
    public let lambda1: Double
    public let runs: [SweepRun]

    /// The mean of a figure over the seeds; nil where a run has none.
    public func mean(_ figure: (SweepRun.Figures) -> Double?) -> Double? {
        let values = runs.compactMap { $0.figures.flatMap(figure) }
        return values.count == runs.count ? values.reduce(0, +) / Double(values.count) : nil
    }

    /// The runs of a sweep by way and λ1, in the order of the trainings.
    public static func rows(of runs: [SweepRun]) -> [SweepRow] {
        var keys: [(SweepWay, Double)] = []
        for run in runs where !keys.contains(where: { $0 == (run.way, run.lambda1) }) {
            keys.append((run.way, run.lambda1))
        }
        return keys.map { way, lambda1 in
            SweepRow(
                way: way, lambda1: lambda1, runs: runs.filter { $0.way == way && $0.lambda1 == lambda1 })
        }
    }

    /// The row that is recommended: the largest mean score among those of which every run was trained to a model that
    /// tells something apart, of equal ones the first; nil where there is none.
    ///
    /// Accuracy on samples like those that were trained on is no guide, since it runs against that of the worst group.
    /// Samples with another class's place can be got right only without reading it, and a model that turned the rule round
    /// gets the others wrong.
    public static func recommended(of rows: [SweepRow]) -> SweepRow? {
        var best: (row: SweepRow, score: Double)?
        for row in rows where row.runs.allSatisfy({ $0.outcome == .trained }) {
            guard let score = row.mean(\.score), score > best?.score ?? -1 else { continue }
            best = (row, score)
        }
        return best?.row
    }
}
