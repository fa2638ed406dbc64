public import RRTensor

/// What an import of masks has stored, and what it has not.
public struct MaskImportSummary: Sendable {
    /// The mask set's file.
    public let path: String
    public let source: MaskSourceKind
    /// The number of samples of the dataset.
    public let sampleCount: Int
    /// The shape `(C, H, W)` of a mask.
    public let maskShape: ImageShape
    public let marks: ArrayImport.Marks
    /// The number of samples for which the source has a mask.
    public let suppliedCount: Int
    /// The number of samples that have a row in the mask set.
    public let annotatedCount: Int
    /// The number of supplied masks without a 1, or without one once they are inverted.
    public let emptyCount: Int
    /// The mean share of an annotated sample's elements that are masked, 0 to 1.
    public let meanShare: Double
    public let tally: MaskTally

    /// The number of samples for which the source has no mask.
    public var samplesWithoutMask: Int { sampleCount - suppliedCount }

    /// Whether the masks cover more than half of their images and nobody said that they mark the right regions.
    public var suggestsRightMarks: Bool { marks == .wrong && meanShare > 0.5 }
}
