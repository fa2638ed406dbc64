public import RRFormats

/// Something that a validation has to say about a file.
public struct Finding: Hashable, Sendable {
    /// What was found. The texts are stable: programs may rely on them.
    public enum Code: String, Sendable, CaseIterable {
        // Any file.
        /// The file is not what its name says, is cut short, or is damaged.
        case unreadableFile = "unreadable-file"
        /// The file is sound, but not what it was given as.
        case wrongFormat = "wrong-format"
        /// The format version is not one that this release reads.
        case unsupportedVersion = "unsupported-version"
        /// A part is missing or of another kind than the schema has it.
        case schema
        /// An array cannot be read, wholly or in part.
        case unreadableArray = "unreadable-array"
        /// What the file says of its images or masks is not what was written.
        case changedContent = "changed-content"

        // A dataset.
        /// A list does not have one element for each image.
        case wrongCount = "wrong-count"
        /// The bytes of an image, or of a mask, are not those that were imported.
        case checksumMismatch = "checksum-mismatch"
        /// The stored fingerprint is not that of the content.
        case wrongFingerprint = "wrong-fingerprint"
        /// Two samples have the same id.
        case duplicateId = "duplicate-id"
        /// A label is below zero, or has no class.
        case labelOutOfRange = "label-out-of-range"
        /// A sample's split has no name.
        case splitOutOfRange = "split-out-of-range"
        /// A sample's group is below zero, or has no name.
        case groupOutOfRange = "group-out-of-range"
        /// An image or a weight is infinite or no number.
        case notFinite = "not-finite"
        /// Floats lie outside [−10, 10].
        case largeValues = "large-values"
        /// The images look as if their dimensions stood in another order.
        case suspiciousLayout = "suspicious-layout"
        /// `/images` does not name its dimensions.
        case missingDimensionLabels = "missing-dimension-labels"

        // A mask set.
        /// The masks or the run were made for another dataset, or of another size.
        case otherDataset = "other-dataset"
        /// The masks were made for these samples with other labels.
        case classOrderChanged = "class-order-changed"
        /// A mask's height, width or channels are not those of the images.
        case wrongMaskSize = "wrong-mask-size"
        /// The dimensions of A stand in another order.
        case wrongMaskLayout = "wrong-mask-layout"
        /// A holds something else than 0 and 1.
        case nonBinaryMask = "non-binary-mask"
        /// A sample's row is not a row of A.
        case rowOutOfRange = "row-out-of-range"
        /// The rows of A are counted from 1; a warning where all of them exist.
        case rowsFromOne = "rows-from-one"
        /// The last row of A, for unannotated samples, is not all zero.
        case lastRowNotZero = "last-row-not-zero"
        /// The masks fit the image before or after their own better.
        case shiftedMasks = "shifted-masks"
        /// More than half of an image is masked on average.
        case mostlyMasked = "mostly-masked"
        /// No sample refers to a mask.
        case unusedMasks = "unused-masks"
        /// No sample has a mask with a 1.
        case nothingMasked = "nothing-masked"

        // A run.
        /// A file of a run is not there.
        case missingFile = "missing-file"
        /// `model.json` describes no network.
        case malformedModel = "malformed-model"
        /// The weights are not those of the model.
        case wrongWeights = "wrong-weights"
    }

    public enum Severity: String, Sendable {
        /// The file cannot be used as it is.
        case fault
        /// The file can be used, and perhaps means something else.
        case warning
    }

    /// Where something was found: a file, and as far as it is known the array inside it.
    public struct Place: Hashable, Sendable, CustomStringConvertible {
        public let file: String
        /// The path of an array in an HDF5 file, `/A`, or the name of an array or a weight; nil for the whole file.
        public let array: String?

        package init(file: String, array: String? = nil) {
            self.file = file
            self.array = array
        }

        /// The place that an error names: `masks.h5:/A` of the file `masks.h5`.
        package init(_ location: String, in file: String) {
            let isInside = location.hasPrefix(file + ":")
            self.init(
                file: isInside ? file : location,
                array: isInside ? String(location.dropFirst(file.count + 1)) : nil)
        }

        /// `masks.h5:/A`
        public var description: String { array.map { "\(file):\($0)" } ?? file }
    }

    public let code: Code
    public let severity: Severity
    public let place: Place
    /// What is wrong, with the figures.
    public let message: Message
    /// What can be done; nil where it cannot be told.
    public let repair: Repair?

    package init(
        _ code: Code, _ severity: Severity, at place: Place, _ message: Message, repair: Repair? = nil
    ) {
        self.code = code
        self.severity = severity
        self.place = place
        self.message = message
        self.repair = repair
    }
}

extension Finding: CustomStringConvertible {
    /// `fault [non-binary-mask] masks.h5:/A: A[1, 0, 1, 2] is 2`
    public var description: String { "\(severity.rawValue) [\(code.rawValue)] \(place): \(message)" }
}
