internal import RRExplanation

/// What an evaluation found of one sample.
public struct SamplePrediction: Equatable, Sendable {
    /// The sample's row in the dataset.
    public let index: Int
    public let label: Int
    /// The class with the largest logit.
    public let prediction: Int
    /// Softmax of the logits, one a class.
    public let probabilities: [Double]
    /// −log p of the label.
    public let crossEntropy: Double
    /// The number of the group; nil where the dataset has none.
    public let group: Int?
    /// Nil for a sample whose mask marks nothing, and where no masks were given.
    public let explanation: SampleExplanation?

    /// Whether the sample was recognised.
    public var isRight: Bool { prediction == label }

    init(_ observation: SampleObservation, index: Int, label: Int, group: Int?) {
        self.index = index
        self.label = label
        prediction = observation.prediction
        probabilities = observation.probabilities
        crossEntropy = observation.crossEntropy
        self.group = group
        explanation = observation.explanation == .unannotated ? nil : SampleExplanation(observation)
    }
}

/// For which reasons one sample was taken for its class: what `ExplanationMetrics` has the means of.
public struct SampleExplanation: Equatable, Sendable {
    // The figures of the input gradient; nil where it is zero throughout or not finite.
    public let gradientShareInsideMask: Double?
    public let maskShareOfArea: Double?
    public let rankAccuracy: Double?
    public let topIntersection: Double?
    public let isLargestInside: Bool?
    /// Nil also where the mask marks all.
    public let localizationArea: Double?
    public let wrongReason: Double?
    /// Σ over A of g².
    public let penalty: Double?

    // Whether the prediction changed; nil where that was not tried, or there was no such donor.
    /// When the pixels in A were randomised.
    public let isFlippedByNoise: Bool?
    /// When what lies inside A became that of a sample of another place.
    public let isFlippedByOtherPlace: Bool?
    public let isFlippedBySamePlace: Bool?
    /// When what lies outside A became that of a sample of another class.
    public let isFlippedByOtherObject: Bool?
    public let isFlippedBySameObject: Bool?

    init(_ observation: SampleObservation) {
        let measured: MeasuredExplanation? =
            if case .measured(let found) = observation.explanation { found } else { nil }
        gradientShareInsideMask = measured?.gradientInside
        maskShareOfArea = measured?.area
        rankAccuracy = measured?.rankAccuracy
        topIntersection = measured?.topIntersection
        isLargestInside = measured?.isLargestInside
        localizationArea = measured?.localizationArea
        wrongReason = measured?.wrongReason
        penalty = measured?.penalty
        isFlippedByNoise = observation.randomizedPrediction.map { $0 != observation.prediction }
        isFlippedByOtherPlace = observation.swaps.insideOther
        isFlippedBySamePlace = observation.swaps.insideSame
        isFlippedByOtherObject = observation.swaps.outsideOther
        isFlippedBySameObject = observation.swaps.outsideSame
    }
}
