internal import RRExplanation
internal import RRTraining

/// For which reasons models decide: every figure that an evaluation with masks has, with its meaning.
enum ReasonSection {
    /// A figure: what it is called, what it says, and its value.
    private struct Row: Sendable {
        let name: String
        let meaning: String
        let value: @Sendable (MeasuredRun, ExplanationMetrics) -> String?
    }

    static func html(_ results: [MeasuredRun]) -> String {
        let counted = results.compactMap { $0.evaluation.explanation }.first
        let annotated = counted?.annotatedCount ?? 0
        guard annotated > 0 else {
            return PageParts.paragraph(
                "No sample that was measured has a mask, so nothing can be said of reasons.")
        }
        let rows = rows.map { row in
            [
                row.name
            ]
                + results.map { result in
                    result.evaluation.explanation.flatMap { row.value(result, $0) } ?? "–"
                } + [Markup.escaped(row.meaning)]
        }
        return PageParts.paragraph(
            "g is the gradient of the sum of log-probabilities by the image, A what a sample’s mask marks as no valid reason. Means are "
                + "over the \(annotated) annotated samples, and lower is better but for what lies outside A. Intervals are of 95 %."
        )
            + PageParts.table(
                caption: "Where models look, and what changes their minds",
                header: ["figure"] + results.map { Markup.name($0.name) } + ["what it says"], rows: rows,
                endsWithText: true)
    }

    private static func percent(_ value: Double?, _ interval: ConfidenceInterval? = nil) -> String? {
        value.map { Figure.percent($0) + Figure.range(interval) }
    }

    private static let rows: [Row] = gradientRows + flipRows

    private static let gradientRows: [Row] = [
        Row(
            name: "|g| inside A",
            meaning: "Σ over A of |g|, by Σ |g|: relevance mass accuracy (Arras et al., 2022)"
        ) {
            percent($1.gradientShare.insideMask)
        },
        Row(
            name: "area of A",
            meaning: "what the row above is by chance: the share of the image that A covers"
        ) {
            percent($1.gradientShare.maskedArea)
        },
        Row(name: "|g| inside A, by its area", meaning: "1 for a model that looks everywhere alike") {
            $1.gradientShare.relativeToArea.map { Figure.text($0) }
        },
        Row(
            name: "relevance rank accuracy",
            meaning: "the share of A among the |A| highest elements (Arras et al., 2022)"
        ) {
            percent($1.ranks.rankAccuracy)
        },
        Row(
            name: "top-k intersection",
            meaning: "A and as many highest elements: their intersection by their union"
        ) {
            percent($1.ranks.topIntersection)
        },
        Row(
            name: "localisation",
            meaning: "the probability that an element of A ranks above another, 0.5 by chance (Fawcett, 2006)"
        ) { $1.ranks.localizationArea.map { Figure.text($0) } },
        Row(name: "pointing game", meaning: "how often the highest element lies in A (Zhang et al., 2016)") {
            percent($1.ranks.pointingGame, $1.ranks.pointingGameInterval)
        },
        Row(
            name: "wrong-reason score",
            meaning: "the share of A with |g| above the image’s mean (after Friedrich et al., 2023)"
        ) { percent($1.wrongReason.mean) },
        Row(name: "penalty R", meaning: "Σ over A of g², by the number of samples (Ross et al., 2017)") {
            $1.penalty.penalty.map { Figure.text($0) }
        },
        Row(
            name: "λ1·R / CE", meaning: "what the penalty weighs against the cross-entropy, with the run’s λ1"
        ) { result, metrics in
            result.weight.flatMap {
                metrics.penalty.ratio(lambda1: $0.lambda1, reduction: $0.reduction, batchSize: $0.batchSize)
            }.map { Figure.text($0) }
        },
    ]

    private static let flipRows: [Row] = [
        Row(
            name: "predictions that change with noise in A",
            meaning:
                "A is randomised; noise is like no picture, and a model that reads backgrounds may not care for it"
        ) { percent($1.flips.share, $1.flips.interval) },
        Row(
            name: "… with A of another place",
            meaning:
                "the swap test: what lies inside A becomes that of a sample of another place, its object erased"
        ) {
            percent($1.swapTest.inside.other.share, $1.swapTest.inside.other.interval)
        },
        Row(name: "… with A of the same place", meaning: "any change of a picture flips some predictions") {
            percent($1.swapTest.inside.same.share, $1.swapTest.inside.same.interval)
        },
        Row(
            name: "the difference",
            meaning: "about 0 for a model that does not read A: the figure that flatters least"
        ) {
            difference($1.swapTest.inside)
        },
        Row(
            name: "predictions that change with the rest of another class",
            meaning: "what lies outside A is swapped: a model that is right for the right reasons changes"
        ) { percent($1.swapTest.outside.other.share, $1.swapTest.outside.other.interval) },
        Row(name: "… with the rest of the same class", meaning: "few, for such a model") {
            percent($1.swapTest.outside.same.share, $1.swapTest.outside.same.interval)
        },
        Row(name: "the difference outside A", meaning: "higher is better") {
            difference($1.swapTest.outside)
        },
    ]

    private static func difference(_ flips: SwapFlips) -> String? {
        flips.difference.map { Figure.points($0) + Figure.pointRange(flips.pairs.interval) }
    }
}
