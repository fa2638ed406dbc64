import RRFormats
import RRReports
import RRSchemas
import RRTraining

/// What `rrdata train` says on its way and at its end.
final class TrainingReport {
    private var line = ProgressLine()

    /// Shows how far the choice of an automatic λ1 is, which a training waits for.
    func showChoice(stepsDone: Int, of stepCount: Int) {
        if stepsDone == 1, Console.progressForm == .line, !Console.showsProgress, !Console.isQuiet {
            Console.error("lambda1 is chosen in \(stepCount) steps before the first")
        }
        line.show("steps for lambda1", done: stepsDone, of: stepCount)
        // Steps with the penalty have another pace.
        if stepsDone == stepCount { line = ProgressLine() }
    }

    /// Shows how far training is: in place on a terminal, and elsewhere in a line an epoch.
    func show(_ progress: TrainingProgress) {
        line.tell(isLast: progress.isEndOfEpoch) { Self.json(progress, elapsed: $0 / .seconds(1)) }
        guard Console.progressForm == .line else { return }
        guard Console.showsProgress else {
            if progress.isEndOfEpoch, !Console.isQuiet { Console.error(Message(Self.text(progress))) }
            return
        }
        line.show(isLast: progress.step == progress.stepCount) { elapsed in
            Self.text(progress)
                + "  \(ProgressLine.time(Self.secondsLeft(progress, elapsed: elapsed / .seconds(1)))) left"
        }
    }

    func clear() { line.clear() }

    private static func secondsLeft(_ progress: TrainingProgress, elapsed: Double) -> Double {
        elapsed * Double(progress.stepCount - progress.step)
            / Double(max(progress.step - progress.firstStep, 1))
    }

    /// The means are those over the epoch so far.
    private static func json(_ progress: TrainingProgress, elapsed: Double) -> [String: JSONValue] {
        let mean = progress.mean
        var object: [String: JSONValue] = [
            "what": "steps", "done": .integer(progress.step), "of": .integer(progress.stepCount),
            "epoch": .integer(progress.epoch + 1), "epochs": .integer(progress.epochCount),
            "is_end_of_epoch": .bool(progress.isEndOfEpoch),
            "loss": .number(mean.loss), "cross_entropy": .number(mean.crossEntropy),
            "lambda1": .number(progress.lambda1), "accuracy": .number(mean.accuracy),
            "samples_per_second": .number(mean.samplesPerSecond),
            "seconds_left": .number(secondsLeft(progress, elapsed: elapsed)),
        ]
        object["penalty"] = mean.penalty.map { .number($0) }
        object["validation_accuracy"] = progress.validationAccuracy.map { .number($0) }
        object["worst_group_accuracy"] = progress.worstGroupAccuracy.map { .number($0) }
        return object
    }

    private static func text(_ progress: TrainingProgress) -> String {
        let mean = progress.mean
        var parts = [
            "epoch \(progress.epoch + 1)/\(progress.epochCount)",
            "step \(progress.step)/\(progress.stepCount)", "\(Int(mean.samplesPerSecond)) samples/s",
            "loss \(Figure.text(mean.loss))", "cross-entropy \(Figure.text(mean.crossEntropy))",
        ]
        if let penalty = mean.penalty {
            parts.append("penalty \(Figure.text(penalty)) x \(Figure.text(progress.lambda1))")
        }
        parts.append("accuracy \(Figure.percent(mean.accuracy))")
        if let validation = progress.validationAccuracy {
            parts.append("validation \(Figure.percent(validation))")
        }
        if let worst = progress.worstGroupAccuracy { parts.append("worst group \(Figure.percent(worst))") }
        return parts.joined(separator: "  ")
    }

    static func text(_ summary: TrainingSummary, metric: ValidationMetric) -> String {
        let last = summary.lastEpoch
        let penalty = last.penalty.map {
            ", penalty \(Figure.text($0)) times lambda1 \(Figure.text(summary.lambda1))"
        }
        var text = """
            \(summary.output.legible): \(summary.stepCount) steps in \(ProgressLine.time(summary.seconds))
            last epoch: loss \(Figure.text(last.loss)), cross-entropy \(Figure.text(last.crossEntropy))\
            \(penalty ?? ""), training accuracy \(Figure.percent(last.accuracy))
            """
        if let best = summary.best {
            text +=
                "\nbest epoch: \(best.epoch + 1) of \(summary.epochCount), \(metric.rawValue) \(Figure.text(best.value))"
        }
        if let masks = summary.collectedMasks {
            text += "\nmasks for \(masks.annotatedCount) samples"
        }
        return text
    }

    static func json(_ summary: TrainingSummary) -> JSONValue {
        [
            "output": .string(summary.output), "steps": .integer(summary.stepCount),
            "epochs": .integer(summary.epochCount), "seconds": .number(summary.seconds),
            "lambda1": .number(summary.lambda1),
            "loss": .number(summary.lastEpoch.loss), "cross_entropy": .number(summary.lastEpoch.crossEntropy),
            "penalty": summary.lastEpoch.penalty.map { .number($0) } ?? .null,
            "training_accuracy": .number(summary.lastEpoch.accuracy),
            "best": summary.best.map { ["epoch": .integer($0.epoch), "value": .number($0.value)] } ?? .null,
            "collected_masks": summary.collectedMasks.map { .integer($0.annotatedCount) } ?? .null,
        ]
    }
}
