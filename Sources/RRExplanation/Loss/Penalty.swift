/// The quantity whose gradient with respect to the input is called the explanation.
///
/// With p the softmax of the logits z over K classes:
public enum PenaltyTarget: String, CaseIterable, Codable, Sendable {
    /// Σ_k log p_k: the paper's choice, under which every class counts (Ross, Hughes and Doshi-Velez, 2017).
    case sumLogProbability = "sum-log-prob"
    /// log p_y of the labelled class.
    case label
    /// log p_k of the class with the largest logit, the first of equal ones.
    case predicted
    /// Σ_k z_k.
    case logitsSum = "logits-sum"
}

/// What the penalties of a batch's samples are divided by.
public enum PenaltyReduction: String, CaseIterable, Codable, Sendable {
    /// The number of samples in the batch, as the cross-entropy is.
    case mean
    /// One: λ1 then scales with the batch, as in some published code.
    case sum
    /// The number of annotated samples in the batch, so that few masks are not starved.
    case annotated
}

/// The explanation loss of a batch in its parts; weight decay is the optimiser's and not in it.
public struct LossTerms: Equatable, Sendable {
    /// CE: the mean over the batch of −log p_y, weighted where classes are.
    public let crossEntropy: Double
    /// R: the penalty before λ1, or whatever the guidance has in its place; nil where it was not computed, because λ1 is 0 or no sample is annotated.
    public let penalty: Double?
    public let lambda1: Double
    /// The number of samples in the batch.
    public let sampleCount: Int
    /// The number of samples with a mask that is not all zero.
    public let annotatedCount: Int
    /// The number of samples whose largest logit is the label's.
    public let correctCount: Int

    /// L = CE + λ1 · R.
    public var loss: Double { crossEntropy + lambda1 * (penalty ?? 0) }
}
