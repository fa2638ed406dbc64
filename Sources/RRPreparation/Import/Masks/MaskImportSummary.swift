public import RRDatasets
public import RRFormats
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
    /// Files that could not be decoded, in the order of the samples.
    public let skippedFiles: [ImportSummary.SkippedFile]

    /// The number of samples for which the source has no mask.
    public var samplesWithoutMask: Int { sampleCount - suppliedCount }

    /// Whether the masks cover more than half of their images and nobody said that they mark the right regions.
    public var suggestsRightMarks: Bool { marks == .wrong && meanShare > 0.5 }

    /// What a user may not expect, a sentence each.
    public var notes: [Message] {
        var notes = tally.readings
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
            let example = tally.matchExample.map { " (\($0.name) is for \($0.id))" } ?? ""
            notes.append(
                "no name is a whole id; names and ids were compared without their folders\(example)")
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

/// What an import of masks met beside the masks that it took.
public struct MaskTally: Sendable, Equatable {
    /// Some of many names.
    public struct Names: Sendable, Equatable {
        /// The number of all.
        public private(set) var count = 0
        /// The first few, in the order of the source.
        public private(set) var first: [String] = []

        static let shownCount = 3

        mutating func add(_ name: String) {
            count += 1
            if first.count < Self.shownCount { first.append(name) }
        }
    }

    /// How names were brought together with ids.
    public enum Matching: String, Sendable {
        /// The whole id.
        case id
        /// The id and the name without the folders before them.
        case baseName = "base name"
    }

    /// What a source of annotations left out.
    public struct Annotations: Sendable, Equatable {
        /// The number of annotations that became masks or parts of them.
        public var used = 0
        /// The number that a filter left out.
        public var filtered = 0
        /// The number that belong to images without a sample.
        public var unmatched = 0

        package init(used: Int = 0, filtered: Int = 0, unmatched: Int = 0) {
            self.used = used
            self.filtered = filtered
            self.unmatched = unmatched
        }
    }

    /// Masks, images or rows of the source that are for no sample of the dataset.
    public var withoutSample = Names()
    /// The number of files in a folder that are no masks by their names.
    public var otherFileCount = 0
    /// Present where the source has annotations, several of which may make a mask.
    public var annotations: Annotations?
    /// How names were brought together with ids; nil where the source has no names.
    public var matching: Matching?
    /// How the source was read, where it allows more than one reading.
    public internal(set) var readings: [Message] = []

    package init(readings: [Message] = []) { self.readings = readings }

    /// A name that is no whole id, and the id that it was taken for.
    public internal(set) var matchExample: NamedId?

    /// A name in a source of masks and the id of its sample.
    public struct NamedId: Sendable, Equatable {
        public let name: String
        public let id: String
    }

    /// A line on boxes of which a part lies outside of their images; nil where there are none.
    static func note(onOverhanging count: Int, of all: Int) -> Message? {
        guard count > 0 else { return nil }
        return Message(
            "boxes that reach out of their images, of which the part inside is marked: \(count) of \(all); where many do, "
                + "their numbers may be others, or of larger images")
    }

    mutating func take(_ match: SampleNames.Match) {
        matching = match.matching
        matchExample = match.example.map { NamedId(name: $0.name, id: $0.id) }
    }
}
