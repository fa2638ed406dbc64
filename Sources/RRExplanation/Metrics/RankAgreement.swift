/// Whether the elements that the input gradient ranks highest are those that the masks mark.
///
/// Elements are ranked by |g|, of equal ones the one at the lower position (C, H, W) first. With P_K the K highest
/// and A the marked elements:
/// - The relevance rank accuracy is |P_|A| ∩ A| / |A| (Arras, Osman and Samek, "CLEVR-XAI", Information Fusion 81,
///   2022).
/// - The top-k intersection is |P_k ∩ A| / |P_k ∪ A|, for k = |A| or a number that is the same for all samples: the
///   overlap of two sets after Jaccard (1912), here of what the model ranks highest and A.
/// - The pointing game is hit where P_1 lies in A (Zhang, Lin, Brandt, Shen and Sclaroff, "Top-down neural attention
///   by excitation backprop", ECCV 2016, without its tolerance of 15 pixels and its mean over classes).
///
/// Where A marks wrong reasons, lower is better for all three.
public struct RankAgreement: Equatable, Sendable {
    private var accuracySum = 0.0
    private var intersectionSum = 0.0
    private var hitCount = 0
    private var count = 0

    /// The mean relevance rank accuracy; nil without samples.
    public var rankAccuracy: Double? { mean(accuracySum) }

    /// The mean top-k intersection over union; nil without samples.
    public var topIntersection: Double? { mean(intersectionSum) }

    /// The share of samples whose largest |g| lies inside A; nil without samples.
    public var pointingGame: Double? { mean(Double(hitCount)) }

    private func mean(_ sum: Double) -> Double? { count == 0 ? nil : sum / Double(count) }

    mutating func add(_ sample: MeasuredExplanation) {
        count += 1
        accuracySum += sample.rankAccuracy
        intersectionSum += sample.topIntersection
        if sample.isLargestInside { hitCount += 1 }
    }
}
