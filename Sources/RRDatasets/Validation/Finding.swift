package import RRSchemas

/// Something that `rrdata validate` has to say about a file.
package struct Finding: Hashable, Sendable, CustomStringConvertible {
    /// What was found. The texts are stable: scripts may rely on them.
    package enum Code: String, Sendable, CaseIterable {
        // Any file.
        /// The file is no HDF5, is cut short, or is damaged.
        case unreadableFile = "unreadable-file"
        /// The file is HDF5, but not what it was given as.
        case wrongFormat = "wrong-format"
        /// The format version is not one that this release reads.
        case unsupportedVersion = "unsupported-version"
        /// What `info --json` prints of the file does not fit its schema: something is missing or of another kind.
        case schema
        /// An array cannot be read, wholly or in part.
        case unreadableArray = "unreadable-array"

        // A dataset.
        /// A list does not have one element for each image.
        case wrongCount = "wrong-count"
        /// An image's bytes do not have the checksum that was stored at import.
        case checksumMismatch = "checksum-mismatch"
        /// The stored fingerprint is not that of the content.
        case wrongFingerprint = "wrong-fingerprint"
        /// Two samples have the same id.
        case duplicateId = "duplicate-id"
        /// A label is below zero, or has no class.
        case labelOutOfRange = "label-out-of-range"
        /// A sample's split has no name.
        case splitOutOfRange = "split-out-of-range"
        /// An image holds a float that is infinite or no number.
        case notFinite = "not-finite"
        /// Floats lie outside [−10, 10] (warning).
        case largeValues = "large-values"
        /// The images look as if their dimensions stand in another order (warning).
        case suspiciousLayout = "suspicious-layout"
        /// `/images` does not name its dimensions (warning).
        case missingDimensionLabels = "missing-dimension-labels"

        // A mask set.
        /// The masks were made for a dataset of another size, or with other pixels, labels or ids.
        case otherDataset = "other-dataset"
        /// A mask's height, width or channels are not those of the images.
        case wrongMaskSize = "wrong-mask-size"
        /// The dimensions of A stand in another order.
        case wrongMaskLayout = "wrong-mask-layout"
        /// A holds something else than 0 and 1.
        case nonBinaryMask = "non-binary-mask"
        /// A sample's row is not a row of A.
        case rowOutOfRange = "row-out-of-range"
        /// The last row of A, for unannotated samples, is not all zero.
        case lastRowNotZero = "last-row-not-zero"
        /// More than half of an image is masked on average (warning).
        case mostlyMasked = "mostly-masked"
        /// Masks that no sample refers to (warning).
        case unusedMasks = "unused-masks"
        /// No sample has a mask with a 1 (warning).
        case nothingMasked = "nothing-masked"
    }

    package enum Severity: String, Sendable {
        /// The file cannot be used as it is.
        case fault
        /// The file can be used, and perhaps means something else.
        case warning
    }

    package let code: Code
    package let severity: Severity
    /// The file, where known followed by the array inside it: `masks.h5:/A`.
    package let path: String
    /// What is wrong and where, with the figures.
    package let message: String
    /// What repairs it.
    package let remedy: String?

    /// `fault [non-binary-mask] masks.h5:/A: A[1, 0, 1, 2] is 2`
    package var description: String {
        "\(severity.rawValue) [\(code.rawValue)] \(path): \(message)"
            + (remedy.map { "\n  repair: \($0)" } ?? "")
    }

    package var json: JSONValue {
        [
            "code": .string(code.rawValue), "severity": .string(severity.rawValue), "path": .string(path),
            "message": .string(message), "remedy": remedy.map { .string($0) } ?? .null,
        ]
    }
}
