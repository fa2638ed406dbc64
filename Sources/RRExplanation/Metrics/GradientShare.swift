/// How much of the input gradient lies where the masks say that no valid reason is.
///
/// For a sample with the input gradient g and the mask A of the D elements of an image the share is
/// s = Σ_d A_d |g_d| / Σ_d |g_d|, which Arras, Osman and Samek call relevance mass accuracy ("CLEVR-XAI: a benchmark
/// dataset for the ground truth evaluation of neural network explanations", Information Fusion 81, 2022). The share
/// of the area is |A| / D. Relative to the area the share is s · D / |A|: 1 for a model that looks everywhere alike.
public struct GradientShare: Equatable, Sendable {
    private var insideSum = 0.0
    private var areaSum = 0.0
    private var relativeSum = 0.0
    private var count = 0

    /// The mean of s; nil without samples.
    public var insideMask: Double? { mean(insideSum) }

    /// The mean of |A| / D; nil without samples.
    public var maskedArea: Double? { mean(areaSum) }

    /// The mean of s · D / |A|; nil without samples.
    public var relativeToArea: Double? { mean(relativeSum) }

    private func mean(_ sum: Double) -> Double? { count == 0 ? nil : sum / Double(count) }

    mutating func add(_ sample: MeasuredExplanation) {
        count += 1
        insideSum += sample.gradientInside
        areaSum += sample.area
        relativeSum += sample.gradientInside / sample.area
    }
}
