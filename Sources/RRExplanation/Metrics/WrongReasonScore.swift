/// How much of the region that is no valid reason the model looks at all the same.
///
/// For a sample the score is the share of A's elements with |g_d| above the mean of |g| over the image: 0 where the
/// whole region is looked at less than the rest, 1 where all of it is looked at more. It follows the wrong-reason
/// measure of Friedrich, Stammer, Schramowski and Kersting ("A typology for exploring the mitigation of shortcut
/// behaviour", Nature Machine Intelligence 5, 2023), Σ bin_α(e) ∘ A / Σ A, with two choices of ours: e is |g|, since the
/// sign of g says nothing here, and the threshold α is each sample's own mean. Unlike the share of the gradient it does
/// not let one bright element stand for the region.
public struct WrongReasonScore: Equatable, Sendable {
    /// Above the mean is what exceeds it by this share of it, so that where all elements are equal, none is, whatever
    /// the rounding of the mean.
    static let tolerance = 1e-9

    private var sum = 0.0
    private var count = 0

    /// The mean score; nil without samples.
    public var mean: Double? { count == 0 ? nil : sum / Double(count) }

    mutating func add(_ sample: MeasuredExplanation) {
        count += 1
        sum += sample.wrongReason
    }
}
