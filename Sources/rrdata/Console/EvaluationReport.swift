import RRExplanation
import RRFormats
import RRSchemas
import RRTraining

/// What `evaluate` says.
struct EvaluationReport {
    let evaluation: Evaluation
    let measurement: ExplanationMeasurement
    /// Nil where no λ1 is known.
    let penaltyWeight: Run.PenaltyWeight?

    var json: JSONValue {
        var object: [String: JSONValue] = [
            "samples": .integer(evaluation.sampleCount), "accuracy": .number(evaluation.accuracy),
            "cross_entropy": .number(evaluation.crossEntropy),
            "per_class": .array(evaluation.perClass.map { Self.json($0, "class") }),
            "worst_class": evaluation.worstClass.map { Self.json($0, "class") } ?? .null,
            "confusion": evaluation.confusion.map { .array($0.map { .array($0.map { .integer($0) }) }) }
                ?? .null,
        ]
        if let groups = evaluation.perGroup {
            object["per_group"] = .array(groups.map { Self.json($0, "group") })
            object["worst_group"] = evaluation.worstGroup.map { Self.json($0, "group") } ?? .null
        }
        object["explanation"] = evaluation.explanation.map(json)
        return .object(object)
    }

    private static func json(_ part: Evaluation.PartFigures, _ kind: String) -> JSONValue {
        [
            kind: .integer(part.index), "name": .string(part.name), "samples": .integer(part.sampleCount),
            "accuracy": .number(part.accuracy),
        ]
    }

    private func json(_ metrics: ExplanationMetrics) -> JSONValue {
        func number(_ value: Double?) -> JSONValue { value.map { .number($0) } ?? .null }
        return [
            "annotated_samples": .integer(metrics.annotatedCount),
            "measured_samples": .integer(metrics.measuredCount),
            "unannotated_samples": .integer(metrics.unannotatedCount),
            "empty_mask_samples": .integer(metrics.emptyMaskCount),
            "zero_gradient_samples": .integer(metrics.zeroGradientCount),
            "not_finite_gradient_samples": .integer(metrics.notFiniteCount),
            "target": .string(measurement.target.rawValue),
            "gradient_share_inside_mask": number(metrics.gradientShare.insideMask),
            "mask_share_of_area": number(metrics.gradientShare.maskedArea),
            "gradient_share_relative_to_area": number(metrics.gradientShare.relativeToArea),
            "relevance_rank_accuracy": number(metrics.ranks.rankAccuracy),
            "top_k": measurement.topCount.map { .integer($0) } ?? .null,
            "top_k_intersection": number(metrics.ranks.topIntersection),
            "pointing_game": number(metrics.ranks.pointingGame),
            "wrong_reason_score": number(metrics.wrongReason.mean),
            "penalty": number(metrics.penalty.penalty),
            "lambda1": number(penaltyWeight?.lambda1),
            "penalty_to_cross_entropy": number(ratio(of: metrics)),
            "seed": .string(String(measurement.seed)),
            "randomized_samples": .integer(metrics.flips.sampleCount),
            "prediction_flips": number(metrics.flips.share),
        ]
    }

    private func ratio(of metrics: ExplanationMetrics) -> Double? {
        penaltyWeight.flatMap {
            metrics.penalty.ratio(lambda1: $0.lambda1, reduction: $0.reduction, batchSize: $0.batchSize)
        }
    }

    var text: String {
        var lines = [
            "\(evaluation.sampleCount) samples: accuracy \(Figure.percent(evaluation.accuracy)), "
                + "cross-entropy \(Figure.text(evaluation.crossEntropy))"
        ]
        lines += Self.text(evaluation.perClass, worst: evaluation.worstClass, "class")
        lines += Self.text(evaluation.perGroup ?? [], worst: evaluation.worstGroup, "group")
        if let metrics = evaluation.explanation { lines += text(metrics) }
        return lines.joined(separator: "\n")
    }

    private static func text(
        _ parts: [Evaluation.PartFigures], worst: Evaluation.PartFigures?, _ kind: String
    ) -> [String] {
        var lines: [String] = []
        if let worst, parts.count > 1 {
            lines.append("worst \(kind): \(worst.name.legible) at \(Figure.percent(worst.accuracy))")
        }
        let names = parts.map(\.name.legible)
        let width = names.map(\.count).max() ?? 0
        for (part, name) in zip(parts, names) {
            let name = name + String(repeating: " ", count: width - name.count)
            lines.append("  \(name)  \(Figure.percent(part.accuracy)) of \(part.sampleCount)")
        }
        return lines
    }

    private func text(_ metrics: ExplanationMetrics) -> [String] {
        guard let inside = metrics.gradientShare.insideMask, let area = metrics.gradientShare.maskedArea,
            let relative = metrics.gradientShare.relativeToArea, let rank = metrics.ranks.rankAccuracy,
            let top = metrics.ranks.topIntersection, let hits = metrics.ranks.pointingGame,
            let wrong = metrics.wrongReason.mean
        else { return ["no annotated sample has an input gradient to measure" + leftOut(metrics)] }
        let topName = measurement.topCount.map(String.init) ?? "equally many"
        var lines = [
            "\(Figure.percent(inside)) of |input gradient| lies inside A, which covers \(Figure.percent(area)) of "
                + "the image (\(metrics.measuredCount) annotated samples)" + leftOut(metrics),
            "  \(Figure.text(relative)) times what a model has that looks everywhere alike",
            "  \(Figure.percent(rank)) of A is among the highest elements (relevance rank accuracy)",
            "  \(Figure.percent(top)) is what A and the \(topName) highest elements share, by their union",
            "  \(Figure.percent(hits)) of samples have the highest element inside A (pointing game)",
            "  \(Figure.percent(wrong)) of A is looked at more than the image's mean (wrong-reason score)",
        ]
        if let ratio = ratio(of: metrics), ratio > 0 {
            lines.append("  \(Figure.text(ratio)) is lambda1 times the penalty, by the cross-entropy")
        }
        if let flips = metrics.flips.share {
            lines.append("  \(Figure.percent(flips)) of predictions change when A is randomised")
        }
        return lines
    }

    private func leftOut(_ metrics: ExplanationMetrics) -> String {
        var text = ""
        if metrics.zeroGradientCount > 0 {
            text += "; \(metrics.zeroGradientCount) more have an input gradient of zero"
        }
        if metrics.notFiniteCount > 0 {
            text += "; \(metrics.notFiniteCount) more have one that is not finite"
        }
        if metrics.emptyMaskCount > 0 {
            text += "; \(metrics.emptyMaskCount) have a mask that marks nothing"
        }
        return text
    }
}
