internal import RRExplanation
internal import RRSchemas

/// The wall time of one step.
struct StepTiming {
    let total: Duration
    /// Of that, the wait for the batch.
    let waiting: Duration
}

/// The steps of one epoch, added up.
public struct EpochRecord: Equatable, Sendable {
    /// Means over an epoch's samples.
    public struct Summary: Sendable {
        public let loss: Double
        public let crossEntropy: Double
        /// The penalty before λ1, over the steps that computed it; nil where none did.
        public let penalty: Double?
        /// The share of samples whose largest logit was the label's.
        public let accuracy: Double
        /// The number of samples that passed in a second.
        public let samplesPerSecond: Double
    }

    private(set) var epoch = 0
    private(set) var stepCount = 0
    private var sampleCount = 0
    private var correctCount = 0
    private var loss = 0.0
    private var crossEntropy = 0.0
    private var penalty = 0.0
    private var penalizedSampleCount = 0
    private var duration = Duration.zero
    private var waiting = Duration.zero

    mutating func add(_ terms: LossTerms, _ timing: StepTiming, epoch: Int) {
        self.epoch = epoch
        let weight = Double(terms.sampleCount)
        stepCount += 1
        sampleCount += terms.sampleCount
        correctCount += terms.correctCount
        loss += terms.loss * weight
        crossEntropy += terms.crossEntropy * weight
        if let penalty = terms.penalty {
            self.penalty += penalty * weight
            penalizedSampleCount += terms.sampleCount
        }
        duration += timing.total
        waiting += timing.waiting
    }

    var summary: Summary {
        let count = Double(max(sampleCount, 1))
        return Summary(
            loss: loss / count, crossEntropy: crossEntropy / count,
            penalty: penalizedSampleCount == 0 ? nil : penalty / Double(penalizedSampleCount),
            accuracy: Double(correctCount) / count,
            samplesPerSecond: count / max(duration / .seconds(1), 1e-9))
    }

    /// The first row of `metrics.csv`.
    static let header =
        "epoch,steps,samples,loss,cross_entropy,penalty,accuracy,seconds,seconds_waiting,validation_samples,"
        + "validation_cross_entropy,validation_accuracy,validation_worst_class"

    /// The epoch's row in `metrics.csv`: numbers, empty where there is none.
    func row(validation: Evaluation?) -> String {
        let summary = summary
        let figures: [Double?] = [
            summary.loss, summary.crossEntropy, summary.penalty, summary.accuracy,
            duration / .seconds(1), waiting / .seconds(1), validation.map { Double($0.sampleCount) },
            validation?.crossEntropy, validation?.accuracy, validation?.worstClass?.accuracy,
        ]
        return
            ([epoch, stepCount, sampleCount].map(String.init)
            + figures.map { $0.map { "\($0)" } ?? "" }).joined(separator: ",")
    }

    /// The epoch's line in `metrics.jsonl`.
    func json(validation: Evaluation?, split: String?) -> JSONValue {
        let summary = summary
        var line: [String: JSONValue] = [
            "kind": "epoch", "epoch": .integer(epoch), "steps": .integer(stepCount),
            "samples": .integer(sampleCount), "loss": .number(summary.loss),
            "cross_entropy": .number(summary.crossEntropy),
            "penalty": summary.penalty.map { .number($0) } ?? .null,
            "seconds": .number(duration / .seconds(1)), "seconds_waiting": .number(waiting / .seconds(1)),
        ]
        if let validation {
            var figures: [String: JSONValue] = [
                "samples": .integer(validation.sampleCount), "accuracy": .number(validation.accuracy),
                "cross_entropy": .number(validation.crossEntropy),
            ]
            figures["split"] = split.map { .string($0) }
            figures["worst_class"] = validation.worstClass.map { .number($0.accuracy) }
            figures["worst_group"] = validation.worstGroup.map { .number($0.accuracy) }
            line["validation"] = .object(figures)
        }
        return .object(line)
    }
}

extension EpochRecord {
    /// The sums, for a checkpoint in the middle of an epoch.
    var state: JSONValue {
        [
            "epoch": .integer(epoch), "steps": .integer(stepCount), "samples": .integer(sampleCount),
            "correct": .integer(correctCount), "loss": .number(loss), "cross_entropy": .number(crossEntropy),
            "penalty": .number(penalty), "penalized_samples": .integer(penalizedSampleCount),
            "seconds": .number(duration / .seconds(1)), "seconds_waiting": .number(waiting / .seconds(1)),
        ]
    }

    /// Reads the sums of a checkpoint; nil where one is missing.
    init?(state: JSONValue) {
        guard let epoch = state["epoch"]?.integerValue, let steps = state["steps"]?.integerValue,
            let samples = state["samples"]?.integerValue, let correct = state["correct"]?.integerValue,
            let loss = state["loss"]?.doubleValue, let crossEntropy = state["cross_entropy"]?.doubleValue,
            let penalty = state["penalty"]?.doubleValue,
            let penalized = state["penalized_samples"]?.integerValue,
            let seconds = state["seconds"]?.doubleValue, let waiting = state["seconds_waiting"]?.doubleValue,
            0...1e12 ~= seconds, 0...1e12 ~= waiting,
            [epoch, steps, samples, correct, penalized].allSatisfy({ 0...RunPosition.largestCount ~= $0 })
        else { return nil }
        self.epoch = epoch
        stepCount = steps
        sampleCount = samples
        correctCount = correct
        self.loss = loss
        self.crossEntropy = crossEntropy
        self.penalty = penalty
        penalizedSampleCount = penalized
        duration = .seconds(seconds)
        self.waiting = .seconds(waiting)
    }
}
