/// How images are changed inside their masks, and what becomes of the changed ones.
///
/// With x̃ the changed image of an annotated sample, z and z̃ the logits of both and c(z) the logits less their mean,
///
///     R = (1/N) Σ_{n annotated} CE(z̃_n, y_n) + γ |c(z_n) − c(z̃_n)|²
///
/// or its second part alone. Both are of first order: no gradient of the input is needed.
public struct CounterexampleOptions: Hashable, Sendable {
    /// What x̃ has inside A.
    public enum Fill: String, CaseIterable, Codable, Sendable {
        /// Values that are uniform over the range that images have.
        case uniform
        /// Normal values, with the mean and the standard deviation that a channel has over the training images.
        case noise
        /// The mean of the channel.
        case mean
        /// What another annotated sample has there, whose own object was erased: `LabelledBatch.counterexamples`.
        case swap
    }

    /// Where x̃ goes.
    public enum Place: String, CaseIterable, Codable, Sendable {
        /// Beside x: R is added, weighed by λ1.
        case beside
        /// In the place of x, in the cross-entropy of the batch: there is no R.
        case instead
    }

    public var fill: Fill
    public var place: Place
    /// The share of annotated samples that have an x̃ in an epoch, above 0 and at most 1; which they are follows from the
    /// seed, the epoch and the sample.
    public var share: Double
    /// Whether the cross-entropy of x̃ is part of R.
    public var countsCrossEntropy: Bool
    /// γ, at least 0: what the difference of the logits weighs in R.
    public var consistency: Double

    public init(
        fill: Fill = .uniform, place: Place = .beside, share: Double = 1, countsCrossEntropy: Bool = true,
        consistency: Double = 0
    ) {
        self.fill = fill
        self.place = place
        self.share = share
        self.countsCrossEntropy = countsCrossEntropy
        self.consistency = consistency
    }
}

/// The mean and the standard deviation of a channel's values, as a network sees them.
public struct ChannelMoments: Hashable, Sendable {
    public var mean: Float
    public var standardDeviation: Float

    public init(mean: Float, standardDeviation: Float) {
        self.mean = mean
        self.standardDeviation = standardDeviation
    }

    /// Those of values that are uniform from 0 to 1.
    public static let ofUnit = ChannelMoments(mean: 0.5, standardDeviation: 0.288_675_13)
}
