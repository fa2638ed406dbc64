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
    public private(set) var swapTest = SwapTest()

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
    ///   - swaps: whether it changed when regions were swapped.
    package mutating func add(
        _ outcome: ExplanationOutcome, hasEmptyMask: Bool = false, crossEntropy: Double,
        isFlipped: Bool? = nil, swaps: SwapOutcome = SwapOutcome()
    ) {
        if let isFlipped { flips.add(isFlipped: isFlipped) }
        swapTest.add(swaps)
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

/// Whether the elements that the input gradient ranks highest are those that the masks mark.
///
/// Elements are ranked by |g|, of equal ones the one at the lower position (C, H, W) first. With P_K the K highest
/// and A the marked elements:
/// - The relevance rank accuracy is |P_|A| ∩ A| / |A| (Arras, Osman and Samek, "CLEVR-XAI", Information Fusion 81,
///   2022).
/// - The top-k intersection is |P_k ∩ A| / |P_k ∪ A|, for k = |A| or a number that is the same for all samples: the
///   overlap of two sets after Jaccard (1912), here of what the model ranks highest and A.
/// - The localisation area is the probability that an element inside A ranks above one outside, equal ones counted as half: the
///   area under the receiver operating characteristic, 0.5 by chance (Fawcett, "An introduction to ROC analysis", Pattern
///   Recognition Letters 27, 2006). It is over samples whose mask leaves something out.
/// - The pointing game is hit where P_1 lies in A (Zhang, Lin, Brandt, Shen and Sclaroff, "Top-down neural attention
///   by excitation backprop", ECCV 2016, without its tolerance of 15 pixels and its mean over classes).
///
/// Where A marks wrong reasons, lower is better for all. They mislead as all ranks do: a model may draw all it needs from a few
/// elements inside A that rank low among many, and the order of the many that hardly matter counts as much as theirs.
public struct RankAgreement: Equatable, Sendable {
    private var accuracySum = 0.0
    private var intersectionSum = 0.0
    private var areaSum = 0.0
    private var areaCount = 0
    private var hits = Proportion()
    private var count: Int { hits.total }

    /// The mean relevance rank accuracy; nil without samples.
    public var rankAccuracy: Double? { mean(accuracySum) }

    /// The mean top-k intersection over union; nil without samples.
    public var topIntersection: Double? { mean(intersectionSum) }

    /// The mean localisation area; nil without samples.
    public var localizationArea: Double? { areaCount == 0 ? nil : areaSum / Double(areaCount) }

    /// The share of samples whose largest |g| lies inside A; nil without samples.
    public var pointingGame: Double? { hits.share }

    /// What that share of all such samples may be; nil without samples.
    public var pointingGameInterval: ConfidenceInterval? { hits.interval }

    private func mean(_ sum: Double) -> Double? { count == 0 ? nil : sum / Double(count) }

    mutating func add(_ sample: MeasuredExplanation) {
        hits.add(sample.isLargestInside)
        accuracySum += sample.rankAccuracy
        intersectionSum += sample.topIntersection
        if let area = sample.localizationArea {
            areaSum += area
            areaCount += 1
        }
    }
}

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

/// What the penalty of the explanation loss weighs against the cross-entropy on the samples of an evaluation.
///
/// R is that of Ross, Hughes and Doshi-Velez (2017), Σ_n Σ_d (A_nd g_nd)² over the number of samples: all of them, as
/// in the reduction `mean`, or the annotated ones, as in `annotated`. For the reduction `sum`, under which R grows with
/// the batch, it is that of an average batch of the run: the mean times the batch size.
public struct PenaltyRatio: Equatable, Sendable {
    private var penaltySum = 0.0
    private var crossEntropySum = 0.0
    private var annotatedCount = 0
    private var sampleCount = 0

    /// R divided by all samples; nil without samples.
    public var penalty: Double? { penalty(.mean) }

    /// λ1 · R over the mean cross-entropy; nil without samples.
    ///
    /// - Parameters:
    ///   - lambda1: the weight of the penalty.
    ///   - reduction: how the penalties of samples become one of a batch.
    ///   - batchSize: the number of samples of a batch, for the reduction `sum`.
    public func ratio(lambda1: Double, reduction: PenaltyReduction, batchSize: Int) -> Double? {
        guard let penalty = penalty(reduction), crossEntropySum > 0 else { return nil }
        let factor = reduction == .sum ? Double(batchSize) : 1
        return lambda1 * factor * penalty / (crossEntropySum / Double(sampleCount))
    }

    private func penalty(_ reduction: PenaltyReduction) -> Double? {
        let divisor = reduction == .annotated ? annotatedCount : sampleCount
        return divisor == 0 ? nil : penaltySum / Double(divisor)
    }

    /// - Parameter squares: Σ_d (A_d g_d)²; nil for a sample without a mask.
    mutating func add(squares: Double?, crossEntropy: Double) {
        sampleCount += 1
        crossEntropySum += crossEntropy
        guard let squares else { return }
        annotatedCount += 1
        penaltySum += squares
    }
}

/// How often a prediction changes when the pixels in A are randomised, as `MaskRandomization` does it.
///
/// A model that is right for the right reasons does not need them: the share is 0. Every annotated sample counts,
/// whatever its gradient.
///
/// It misleads: noise is like no picture that the model was trained on, and one that reads the background of pictures may
/// not care for it. `SwapTest` puts another background there.
public struct PredictionFlips: Equatable, Sendable {
    private var flipped = Proportion()

    /// The samples whose pixels were randomised.
    public var sampleCount: Int { flipped.total }
    public var flippedCount: Int { flipped.count }

    /// The share of the predictions that changed; nil without samples.
    public var share: Double? { flipped.share }

    /// What the share of all such samples may be; nil without samples.
    public var interval: ConfidenceInterval? { flipped.interval }

    mutating func add(isFlipped: Bool) { flipped.add(isFlipped) }
}
