internal import RRDatasets

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
}
