/// How often a prediction changes when the pixels in A are randomised, as `MaskRandomization` does it.
///
/// A model that is right for the right reasons does not need them: the share is 0. Every annotated sample counts,
/// whatever its gradient.
public struct PredictionFlips: Equatable, Sendable {
    /// The samples whose pixels were randomised.
    public private(set) var sampleCount = 0
    public private(set) var flippedCount = 0

    /// The share of the predictions that changed; nil without samples.
    public var share: Double? { sampleCount == 0 ? nil : Double(flippedCount) / Double(sampleCount) }

    mutating func add(isFlipped: Bool) {
        sampleCount += 1
        if isFlipped { flippedCount += 1 }
    }
}
