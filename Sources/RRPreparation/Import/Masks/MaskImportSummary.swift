public import RRDatasets
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
    public let marks: MaskMarks
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

    /// What a user may not expect, a sentence each.
    public var notes: [String] {
        var notes: [String] = []
        if tally.withoutSample.count > 0 {
            let more = tally.withoutSample.count > tally.withoutSample.first.count ? ", …" : ""
            let names = tally.withoutSample.first.joined(separator: ", ") + more
            notes.append("for no sample of the dataset: \(tally.withoutSample.count) (\(names))")
        }
        if samplesWithoutMask > 0 {
            notes.append("samples without a mask: \(samplesWithoutMask) of \(sampleCount)")
        }
        if emptyCount > 0 { notes.append("masks that are all zero: \(emptyCount)") }
        if tally.matching == .baseName {
            notes.append("no name is a whole id; names and ids were compared without their folders")
        }
        if let annotations = tally.annotations, annotations.filtered > 0 {
            notes.append("annotations left out by category or area: \(annotations.filtered)")
        }
        if tally.otherFileCount > 0 {
            notes.append(
                "files passed over because their names do not end in .png: \(tally.otherFileCount)")
        }
        return notes
    }
}
