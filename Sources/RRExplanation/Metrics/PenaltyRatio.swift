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
    /// - Parameter batchSize: the number of samples of a batch, for the reduction `sum`.
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
