package import RRFormats
internal import RRDatasets
package import RRSchemas

/// Something that `rrdata validate` has to say about a file.
package struct Finding: Hashable, Sendable, CustomStringConvertible {
    /// What was found. The texts are stable: scripts may rely on them.
    package enum Code: String, Sendable, CaseIterable {
        // Any file.
        case unreadableFile = "unreadable-file"
        case wrongFormat = "wrong-format"
        case unsupportedVersion = "unsupported-version"
        case schema
        case unreadableArray = "unreadable-array"

        // A dataset.
        case wrongCount = "wrong-count"
        case checksumMismatch = "checksum-mismatch"
        case wrongFingerprint = "wrong-fingerprint"
        case duplicateId = "duplicate-id"
        case labelOutOfRange = "label-out-of-range"
        case splitOutOfRange = "split-out-of-range"
        case groupOutOfRange = "group-out-of-range"
        case notFinite = "not-finite"
        case largeValues = "large-values"
        case suspiciousLayout = "suspicious-layout"
        case missingDimensionLabels = "missing-dimension-labels"

        // A mask set.
        case otherDataset = "other-dataset"
        case classOrderChanged = "class-order-changed"
        case wrongMaskSize = "wrong-mask-size"
        case wrongMaskLayout = "wrong-mask-layout"
        case nonBinaryMask = "non-binary-mask"
        case rowOutOfRange = "row-out-of-range"
        case rowsFromOne = "rows-from-one"
        case lastRowNotZero = "last-row-not-zero"
        case shiftedMasks = "shifted-masks"
        case mostlyMasked = "mostly-masked"
        case unusedMasks = "unused-masks"
        case nothingMasked = "nothing-masked"

        // A run.
        case missingFile = "missing-file"
        case malformedModel = "malformed-model"
        case wrongWeights = "wrong-weights"
    }

    package enum Severity: String, Sendable {
        /// The file cannot be used as it is.
        case fault
        /// The file can be used, and perhaps means something else.
        case warning
    }

    /// `explanation` says what it means.
    package let code: Code
    package let severity: Severity
    /// The file, where known followed by the array inside it: `masks.h5:/A`.
    package let path: String
    /// What is wrong and where, with the figures.
    package let message: Message
    /// What repairs it.
    package let remedy: Message?

    package init(code: Code, severity: Severity, path: String, message: Message, remedy: Message? = nil) {
        self.code = code
        self.severity = severity
        self.path = path
        self.message = message
        self.remedy = remedy
    }

    /// `fault [non-binary-mask] masks.h5:/A: A[1, 0, 1, 2] is 2`
    package var description: String {
        "\(severity.rawValue) [\(code.rawValue)] \(path): \(message)"
            + (remedy.map { "\n  repair: \($0)" } ?? "")
    }

    package var json: JSONValue {
        [
            "code": .string(code.rawValue), "severity": .string(severity.rawValue), "path": .string(path),
            "message": .string(message.description),
            "remedy": remedy.map { .string($0.description) } ?? .null,
        ]
    }
}
