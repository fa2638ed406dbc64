package import RRNetworks

/// What could be said of one sample's explanation.
package enum ExplanationOutcome: Equatable, Sendable {
    /// The mask marks nothing.
    case unannotated
    case zeroGradient
    case notFinite
    case measured(MeasuredExplanation)
}

/// The figures of one sample; `GradientShare`, `RankAgreement`, `LocalizationArea`, `WrongReasonScore` and `PenaltyRatio` define
/// them.
package struct MeasuredExplanation: Equatable, Sendable {
    package var gradientInside: Double
    /// |A| / D, above 0.
    package var area: Double
    package var rankAccuracy: Double
    package var topIntersection: Double
    package var isLargestInside: Bool
    package var wrongReason: Double
    /// Nil where the mask marks all.
    package var localizationArea: Double?
    /// Σ_d (A_d g_d)².
    package var penalty: Double
}

/// Measures samples' input gradients against their masks, in memory that is used again for the next sample.
package struct ExplanationMeter<Scalar: NetworkScalar> {
    private let topCount: Int?
    private var magnitudes: [Scalar]
    private var largest = LargestElements<Scalar>()
    private var localization = LocalizationArea()

    /// - Parameters:
    ///   - elementCount: C · H · W.
    ///   - topCount: the k of the top-k intersection, from 1 to `elementCount`; nil for as many as the mask marks.
    package init(elementCount: Int, topCount: Int? = nil) {
        self.topCount = topCount
        magnitudes = Array(repeating: 0, count: elementCount)
    }

    /// Measures one sample.
    ///
    /// - Parameters:
    ///   - gradient: (C, H, W).
    ///   - mask: (C, H, W), 0 or 1.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    package mutating func measure(
        gradient: UnsafeBufferPointer<Scalar>, mask: UnsafeBufferPointer<UInt8>
    ) -> ExplanationOutcome {
        let count = gradient.count
        let maskedCount = mask.reduce(into: 0) { $0 += $1 == 0 ? 0 : 1 }
        guard maskedCount > 0 else { return .unannotated }
        return magnitudes.withUnsafeMutableBufferPointer { magnitudes in
            var (total, inside, penalty) = (0.0, 0.0, 0.0)
            var (maximum, position) = (Scalar.zero, 0)
            for index in 0..<count {
                let magnitude = gradient[index].magnitude
                magnitudes[index] = magnitude
                let value = Double(magnitude)
                total += value
                if mask[index] != 0 {
                    inside += value
                    penalty += value * value
                }
                if magnitude > maximum { (maximum, position) = (magnitude, index) }
            }
            guard total.isFinite else { return .notFinite }
            guard total > 0 else { return .zeroGradient }
            let values = UnsafeBufferPointer(magnitudes)
            let hits = largest.countMarked(ofLargest: maskedCount, in: values, by: mask)
            let kept = topCount ?? maskedCount
            let common =
                kept == maskedCount ? hits : largest.countMarked(ofLargest: kept, in: values, by: mask)
            let bound = total / Double(count) * (1 + WrongReasonScore.tolerance)
            var aboveCount = 0
            for index in 0..<count where mask[index] != 0 && Double(values[index]) > bound { aboveCount += 1 }
            return .measured(
                MeasuredExplanation(
                    gradientInside: inside / total, area: Double(maskedCount) / Double(count),
                    rankAccuracy: Double(hits) / Double(maskedCount),
                    topIntersection: Double(common) / Double(kept + maskedCount - common),
                    isLargestInside: mask[position] != 0,
                    wrongReason: Double(aboveCount) / Double(maskedCount),
                    localizationArea: localization.measure(values, by: mask), penalty: penalty))
        }
    }
}
