import RRFormats
import RRReports
import RRSchemas
import RRTraining

/// What `rrdata train` says on its way and at its end.
struct TrainingReport {
    private let line = ProgressLine()

    /// Shows how far training is: in place on a terminal, and elsewhere in a line an epoch.
    func show(_ progress: TrainingProgress) {
        guard Console.showsProgress else {
            if progress.isEndOfEpoch, !Console.isQuiet { Console.error(Message(Self.text(progress))) }
            return
        }
        line.show(isLast: progress.step == progress.stepCount) { elapsed in
            let done = progress.step - progress.firstStep
            let left =
                elapsed / .seconds(1) * Double(progress.stepCount - progress.step) / Double(max(done, 1))
            return Self.text(progress) + "  \(ProgressLine.time(left)) left"
        }
    }

    func clear() { line.clear() }

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
