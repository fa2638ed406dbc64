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
