package import RRSchemas

/// What one round of a search for other explanations came to.
public struct FindAnotherRound: Equatable, Sendable {
    /// From 1.
    public let number: Int
    /// The weight of the penalty: 0 in the first round.
    public let lambda1: Double
    /// The share of the judged samples that were recognised.
    public let accuracy: Double
    /// The accuracy of the group that is recognised worst; nil without groups.
    public let worstGroup: Double?
    /// The mean of −log p of the label over the judged samples.
    public let crossEntropy: Double
    /// The share of the new masks' ones that the masks of earlier rounds have too; nil in the first round, and where
    /// the new masks have none.
    public let shareInsideEarlier: Double?
    /// How often the round's model changes its mind when the regions of the latest rounds, its own the last, are swapped.
    public let regions: [RegionFlips]
    /// The earlier rounds whose models may read the same region as this one: the figures of their regions agree.
    public let sharedRegions: [Int]
    /// The ones of the round's own masks, over all samples.
    public let oneCount: Int
    /// The samples that got a mask.
    public let annotatedCount: Int
    /// The samples that got none, since their input gradient is zero throughout.
    public let zeroGradientCount: Int
}

extension FindAnotherRound: SeriesEntry {
    static let seriesName = "find-another"
    static let noun = "round"

    /// The round's run and its masks inside the folder.
    public var folder: String { "round-\(number)" }

    package static let firstRun = "round-1/run"

    /// The object that `find-another.json` has for the round.
    package var json: JSONValue {
        [
            "round": .integer(number), "lambda1": .number(lambda1), "accuracy": .number(accuracy),
            "worst_group": worstGroup.map { .number($0) } ?? .null, "cross_entropy": .number(crossEntropy),
            "share_inside_earlier": shareInsideEarlier.map { .number($0) } ?? .null,
            "regions": .array(regions.map(\.json)),
            "may_read_the_same_region_as": .array(sharedRegions.map { .integer($0) }),
            "ones": .integer(oneCount), "annotated": .integer(annotatedCount),
            "zero_gradient": .integer(zeroGradientCount),
        ]
    }

    /// Reads the object of `find-another.json`; nil where a field is missing.
    init?(_ json: JSONValue) {
        guard let number = json["round"]?.integerValue, let lambda1 = json["lambda1"]?.doubleValue,
            let accuracy = json["accuracy"]?.doubleValue,
            let crossEntropy = json["cross_entropy"]?.doubleValue, let oneCount = json["ones"]?.integerValue,
            let annotatedCount = json["annotated"]?.integerValue,
            let zeroGradientCount = json["zero_gradient"]?.integerValue
        else { return nil }
        self.init(
            number: number, lambda1: lambda1, accuracy: accuracy,
            worstGroup: json["worst_group"]?.doubleValue, crossEntropy: crossEntropy,
            shareInsideEarlier: json["share_inside_earlier"]?.doubleValue,
            // Rounds of earlier releases have none.
            regions: (json["regions"]?.arrayValue ?? []).compactMap { RegionFlips($0) },
            sharedRegions: (json["may_read_the_same_region_as"]?.arrayValue ?? []).compactMap(\.integerValue),
            oneCount: oneCount,
            annotatedCount: annotatedCount, zeroGradientCount: zeroGradientCount)
    }
}

/// How far a search for other explanations is.
public enum FindAnotherProgress: Sendable {
    /// A step of a round's training.
    case training(round: Int, TrainingProgress)
    /// Some of the samples have their masks of a round.
    case masks(round: Int, done: Int, total: Int)
    /// A round is done.
    case done(FindAnotherRound)
}
