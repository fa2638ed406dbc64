/// For which reasons a model decides, measured by input gradients and masks over many samples.
///
/// Means are over the measured samples: annotated, with a gradient that is finite and not zero throughout. The others
/// are counted.
public struct ExplanationMetrics: Equatable, Sendable {
    public private(set) var gradientShare = GradientShare()
    public private(set) var ranks = RankAgreement()
    public private(set) var wrongReason = WrongReasonScore()
    public private(set) var penalty = PenaltyRatio()
    public private(set) var flips = PredictionFlips()

    /// The samples that the means are over.
    public private(set) var measuredCount = 0
    /// The annotated samples whose gradient is zero throughout, so that nothing can be ranked.
    public private(set) var zeroGradientCount = 0
    /// The annotated samples whose gradient has an element that is not a finite number.
    public private(set) var notFiniteCount = 0
    /// The samples whose mask marks nothing, those of `emptyMaskCount` included.
    public private(set) var unannotatedCount = 0
    /// Of these, the samples that have a mask in the set, which is all zero.
    public private(set) var emptyMaskCount = 0

    public init() {}

    /// The samples whose mask marks something.
    public var annotatedCount: Int { measuredCount + zeroGradientCount + notFiniteCount }

    /// Adds a sample.
    ///
    /// - Parameters:
    ///   - hasEmptyMask: whether an unannotated sample has a mask that is all zero.
    ///   - crossEntropy: −log p of the label.
    ///   - isFlipped: whether the prediction changed when the pixels in A were randomised; nil where they were not.
    package mutating func add(
        _ outcome: ExplanationOutcome, hasEmptyMask: Bool = false, crossEntropy: Double,
        isFlipped: Bool? = nil
    ) {
        if let isFlipped { flips.add(isFlipped: isFlipped) }
        switch outcome {
        case .unannotated:
            unannotatedCount += 1
            if hasEmptyMask { emptyMaskCount += 1 }
            penalty.add(squares: nil, crossEntropy: crossEntropy)
        case .zeroGradient:
            zeroGradientCount += 1
            penalty.add(squares: 0, crossEntropy: crossEntropy)
        case .notFinite:
            notFiniteCount += 1
            penalty.add(squares: .nan, crossEntropy: crossEntropy)
        case .measured(let sample):
            measuredCount += 1
            gradientShare.add(sample)
            ranks.add(sample)
            wrongReason.add(sample)
            penalty.add(squares: sample.penalty, crossEntropy: crossEntropy)
        }
    }
}
