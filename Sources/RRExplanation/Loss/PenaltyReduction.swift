/// What the penalties of a batch's samples are divided by.
public enum PenaltyReduction: String, CaseIterable, Codable, Sendable {
    /// The number of samples in the batch, as the cross-entropy is.
    case mean
    /// One: λ1 then scales with the batch, as in some published code.
    case sum
    /// The number of annotated samples in the batch, so that few masks are not starved.
    case annotated

    /// - Parameters:
    ///   - batch: the number of samples in the batch, or what they weigh together.
    ///   - annotated: that of the annotated samples.
    func divisor(batch: Double, annotated: Double) -> Double {
        switch self {
        case .mean: batch
        case .sum: 1
        case .annotated: annotated
        }
    }
}
