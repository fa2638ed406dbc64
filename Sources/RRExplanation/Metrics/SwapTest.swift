/// How often a prediction changes when a region of an image becomes that of another sample, the donor.
///
/// What lies inside A is replaced by what lies inside the donor's A, as `RegionSwap` does it, with the donor's object
/// erased: the image stays one that could be, other than with `PredictionFlips`, whose noise a model may never have seen and
/// so may disregard. Any change of a picture flips some predictions. So the figure is a difference: the flips by donors of
/// another place minus those by donors of the same place. A model that does not read A has a difference of about 0.
///
/// For the complement, what lies outside A is replaced by what lies outside the donor's A: there donors of another class must
/// flip predictions of a model that is right for the right reasons, and those of the same class few.
///
/// It misleads where donors of "another place" show the same: by class, where a class says nothing of what lies inside A in
/// the samples that are measured, the two shares are alike whatever the model reads. Then both of them tell: a share that is
/// far above that of a model which does not read A is no good sign. Groups that say what A shows are better than classes. A
/// model that is wrong, or certain, everywhere flips little too: look at the accuracy first. And where masks are too small,
/// what they miss goes on giving the place away.
public struct SwapTest: Equatable, Sendable {
    /// What lies inside A replaced, by donors of another and of the same place.
    public private(set) var inside = SwapFlips()
    /// What lies outside A replaced, by donors of another and of the same class.
    public private(set) var outside = SwapFlips()

    /// The samples that were recognised with what lies inside A taken from another place.
    public private(set) var accuracyInsideOther = Proportion()

    public init() {}

    package mutating func add(_ outcome: SwapOutcome) {
        if let isRight = outcome.isRightInsideOther { accuracyInsideOther.add(isRight) }
        inside.add(other: outcome.insideOther, same: outcome.insideSame)
        outside.add(other: outcome.outsideOther, same: outcome.outsideSame)
    }
}

/// The predictions that changed when one region was swapped.
public struct SwapFlips: Equatable, Sendable {
    /// By donors of another place, or another class.
    public private(set) var other = Proportion()
    /// By donors of the same.
    public private(set) var same = Proportion()
    /// The samples that had a donor of each kind: how many more predictions the other changes.
    public private(set) var pairs = PairedProportions()

    /// The share of `other` minus that of `same`, over the samples that had a donor of each kind; nil without any.
    public var difference: Double? { pairs.difference }

    mutating func add(other isFlippedByOther: Bool?, same isFlippedBySame: Bool?) {
        if let isFlippedByOther { other.add(isFlippedByOther) }
        if let isFlippedBySame { same.add(isFlippedBySame) }
        if let isFlippedByOther, let isFlippedBySame { pairs.add(isFlippedByOther, isFlippedBySame) }
    }
}

/// Whether a sample's prediction changed with each kind of donor; nil where it had no such donor, or no such region.
package struct SwapOutcome: Equatable, Sendable {
    package var insideOther: Bool?
    /// Whether the prediction was right with that donor.
    package var isRightInsideOther: Bool?
    package var insideSame: Bool?
    package var outsideOther: Bool?
    package var outsideSame: Bool?

    package init() {}
}
