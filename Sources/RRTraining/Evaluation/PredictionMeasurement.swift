/// What an evaluation says of predictions beside how many are right.
public struct PredictionMeasurement: Sendable {
    /// Whether the figures of all probabilities are computed, `ClassificationFigures`.
    public var hasFigures: Bool = true
    /// How often samples are drawn with replacement for the bounds of these figures; 0 for none.
    public var drawCount: Int = 1000
    /// Decides these draws.
    public var seed: UInt64 = 0
    /// The steps of the deletion and insertion, each of which takes two predictions for every sample; nil to leave them out.
    public var curveStepCount: Int?
    /// Whether what was found of each sample is kept.
    public var keepsSamples: Bool = false

    /// The largest number of draws.
    public static let largestDrawCount = 100_000
    /// The largest number of probabilities, of samples and classes, that figures are computed of: half a gigabyte.
    static let largestProbabilityCount = 1 << 26

    public init() {}

    /// Without figures of probabilities, as between two steps of a training.
    static var accuracyAlone: PredictionMeasurement {
        var measurement = PredictionMeasurement()
        measurement.hasFigures = false
        return measurement
    }
}
