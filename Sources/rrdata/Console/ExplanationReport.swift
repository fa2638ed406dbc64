import RRExplanation
import RRFormats
import RRReports
import RRSchemas
import RRTraining

/// What `evaluate` says of the reasons.
struct ExplanationReport {
    let metrics: ExplanationMetrics
    let measurement: ExplanationMeasurement
    /// What stands for places in the swap test; nil where it was left out.
    let swapPlace: SwapPlace?
    /// Nil where no λ1 is known.
    let penaltyWeight: Run.PenaltyWeight?

    var json: JSONValue {
        [
            "annotated_samples": .integer(metrics.annotatedCount),
            "measured_samples": .integer(metrics.measuredCount),
            "unannotated_samples": .integer(metrics.unannotatedCount),
            "empty_mask_samples": .integer(metrics.emptyMaskCount),
            "zero_gradient_samples": .integer(metrics.zeroGradientCount),
            "not_finite_gradient_samples": .integer(metrics.notFiniteCount),
            "target": .string(measurement.target.rawValue),
            "gradient_share_inside_mask": .figure(metrics.gradientShare.insideMask),
            "mask_share_of_area": .figure(metrics.gradientShare.maskedArea),
            "gradient_share_relative_to_area": .figure(metrics.gradientShare.relativeToArea),
            "relevance_rank_accuracy": .figure(metrics.ranks.rankAccuracy),
            "top_k": measurement.topCount.map { .integer($0) } ?? .null,
            "top_k_intersection": .figure(metrics.ranks.topIntersection),
            "pointing_game": .figure(metrics.ranks.pointingGame),
            "pointing_game_interval": .figure(metrics.ranks.pointingGameInterval),
            "localization_area": .figure(metrics.ranks.localizationArea),
            "wrong_reason_score": .figure(metrics.wrongReason.mean),
            "penalty": .figure(metrics.penalty.penalty),
            "lambda1": .figure(penaltyWeight?.lambda1),
            "penalty_to_cross_entropy": .figure(ratio),
            "seed": .string(String(measurement.seed)),
            "randomized_samples": .integer(metrics.flips.sampleCount),
            "prediction_flips": .figure(metrics.flips.share),
            "prediction_flips_interval": .figure(metrics.flips.interval),
            "swap_test": swapPlace.map { place in
                [
                    "place": .string(place.rawValue), "inside": Self.json(metrics.swapTest.inside),
                    "outside": Self.json(metrics.swapTest.outside),
                ]
            } ?? .null,
        ]
    }

    private static func json(_ flips: SwapFlips) -> JSONValue {
        [
            "other": .figures(flips.other), "same": .figures(flips.same),
            "pairs": .integer(flips.pairs.total), "difference": .figure(flips.difference),
            "difference_interval": .figure(flips.pairs.interval),
        ]
    }

    private var ratio: Double? {
        penaltyWeight.flatMap {
            metrics.penalty.ratio(lambda1: $0.lambda1, reduction: $0.reduction, batchSize: $0.batchSize)
        }
    }

    var lines: [String] { gradientLines + flipLines }

    private var gradientLines: [String] {
        guard let inside = metrics.gradientShare.insideMask, let area = metrics.gradientShare.maskedArea,
            let rank = metrics.ranks.rankAccuracy, let top = metrics.ranks.topIntersection,
            let hits = metrics.ranks.pointingGame, let wrong = metrics.wrongReason.mean
        else { return ["no annotated sample has an input gradient to measure" + leftOut] }
        let topName = measurement.topCount.map(String.init) ?? "equally many"
        var lines = [
            "\(Figure.percent(inside)) of |input gradient| lies inside A, where chance puts \(Figure.percent(area)), "
                + "the share of the image that A covers (\(metrics.measuredCount) annotated samples)"
                + leftOut,
            "  \(Figure.percent(rank)) of A is among the highest elements (relevance rank accuracy)",
            "  \(Figure.text(metrics.ranks.localizationArea ?? .nan)) is the probability that an element of A ranks above "
                + "another, 0.5 by chance (localisation)",
            "  \(Figure.percent(top)) is what A and the \(topName) highest elements share, by their union",
            "  \(Figure.percent(hits)) of samples have the highest element inside A (pointing game)",
            "  \(Figure.percent(wrong)) of A is looked at more than the image's mean (wrong-reason score)",
        ]
        if let ratio, ratio > 0 {
            lines.append("  \(Figure.text(ratio)) is lambda1 times the penalty, by the cross-entropy")
        }
        return lines
    }

    /// How many predictions change with each change of the images, in columns.
    private var flipLines: [String] {
        var rows: [(change: String, figure: String)] = []
        if let flips = metrics.flips.share {
            rows.append(("A is randomised", Figure.percent(flips) + Figure.range(metrics.flips.interval)))
        }
        if let swapPlace {
            rows += Self.rows(metrics.swapTest.inside, "inside A is", of: swapPlace.rawValue)
            rows += Self.rows(metrics.swapTest.outside, "outside A is", of: SwapPlace.class.rawValue)
        }
        guard !rows.isEmpty else { return [] }
        let width = rows.map(\.change.count).max() ?? 0
        return ["predictions change where"]
            + rows.map {
                "  \($0.change)\(String(repeating: " ", count: width - $0.change.count))  \($0.figure)"
            }
    }

    private static func rows(
        _ flips: SwapFlips, _ region: String, of kind: String
    ) -> [(change: String, figure: String)] {
        var rows: [(change: String, figure: String)] = []
        for (proportion, donor) in [(flips.other, "another \(kind)"), (flips.same, "the same \(kind)")] {
            guard let share = proportion.share else { continue }
            rows.append(
                ("\(region) that of \(donor)", Figure.percent(share) + Figure.range(proportion.interval)))
        }
        if let difference = flips.difference {
            rows.append(
                ("  the difference", Figure.points(difference) + Figure.pointRange(flips.pairs.interval)))
        }
        return rows
    }

    private var leftOut: String {
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

extension JSONValue {
    /// A figure that there may be none of.
    static func figure(_ value: Double?) -> JSONValue { value.map { .number($0) } ?? .null }

    /// `[lower, upper]`
    static func figure(_ interval: ConfidenceInterval?) -> JSONValue {
        interval.map { [.number($0.lower), .number($0.upper)] } ?? .null
    }

    /// A share with what it is of.
    static func figures(_ proportion: Proportion) -> JSONValue {
        [
            "samples": .integer(proportion.total), "flips": .figure(proportion.share),
            "interval": .figure(proportion.interval),
        ]
    }
}
