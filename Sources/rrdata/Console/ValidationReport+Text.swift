import RRDatasets
import RRFormats
import RRPreparation
import RRReports
import RRSchemas

/// What `rrdata validate` prints.
extension ValidationReport {
    /// The findings, and what was judged, a line each.
    var text: String {
        var lines = findings.map(\.text)
        if let dataset, let count = dataset.sampleCount {
            let part = dataset.checkedImageCount < count ? ", \(dataset.checkedImageCount) images read" : ""
            lines.append("\(dataset.path.legible): \(count) samples\(part)")
        }
        for masks in masks {
            guard let annotated = masks.annotatedCount, let unannotated = masks.unannotatedCount else {
                continue
            }
            lines.append("\(masks.path.legible): \(annotated) annotated samples, \(unannotated) unannotated")
            if let advice = masks.advice { lines.append("  " + advice) }
        }
        let faults = faultCount == 1 ? "1 fault" : "\(faultCount) faults"
        let warnings = warningCount == 1 ? "1 warning" : "\(warningCount) warnings"
        lines.append("\(isSound ? "sound" : "not sound"): \(faults), \(warnings)")
        return lines.joined(separator: "\n")
    }

    /// The object of `--json`.
    var json: JSONValue {
        var members: [String: JSONValue] = [
            "valid": .bool(isSound), "faults": .integer(faultCount), "warnings": .integer(warningCount),
            "findings": .array(findings.map(\.json)),
        ]
        if let dataset {
            members["dataset"] = [
                "path": .string(dataset.path),
                "samples": dataset.sampleCount.map { .integer($0) } ?? .null,
                "images_checked": .integer(dataset.checkedImageCount),
            ]
            members["masks"] = .array(masks.map(\.json))
        }
        return .object(members)
    }
}

extension ValidationReport.Masks {
    private var extent: MaskExtent? { meanCoverage.map(MaskExtent.init(meanShare:)) }

    /// Which way to learn from them fits.
    fileprivate var advice: String? {
        guard let meanCoverage, let extent else { return nil }
        let share = "they mark \(Figure.percent(meanCoverage)) of an image on average"
        switch extent {
        case .local: return "\(share), as artefacts and markers do: the penalties of train fit these"
        case .between: return share
        case .regions:
            return
                "\(share), as whole backgrounds do: train --guidance augment --augment-fill swap, or consistency, fits these, "
                + "penalties hardly do"
        }
    }

    fileprivate var json: JSONValue {
        [
            "path": .string(path), "annotated": annotatedCount.map { .integer($0) } ?? .null,
            "unannotated": unannotatedCount.map { .integer($0) } ?? .null,
            "mean_coverage": meanCoverage.map { .number($0) } ?? .null,
            "extent": extent.map { .string($0.rawValue) } ?? .null,
        ]
    }
}

extension Finding {
    /// `fault [non-binary-mask] masks.h5:/A: A[1, 0, 1, 2] is 2`, and what repairs it on a line of its own.
    fileprivate var text: String {
        "\(severity.rawValue) [\(code.rawValue)] \(place.description.legible): \(message.commandLineText)"
            + (remedy.map { "\n  repair: \($0.legible)" } ?? "")
    }

    fileprivate var json: JSONValue {
        [
            "code": .string(code.rawValue), "severity": .string(severity.rawValue),
            "path": .string(place.description), "message": .string(message.commandLineText),
            "remedy": remedy.map { .string($0) } ?? .null,
        ]
    }
}

extension Finding.Code {
    /// What the code says, in a line, as `rrdata validate --help` lists it.
    private var explanation: String {
        switch self {
        case .unreadableFile: "the file is not what its name says, is cut short, or is damaged"
        case .wrongFormat: "the file is sound, but not what it was given as"
        case .unsupportedVersion: "the format version is not one that this release reads"
        case .schema: "a part is missing or of another kind than the schema has it"
        case .unreadableArray: "an array cannot be read, wholly or in part"
        case .changedContent: "what the file says of its images or masks is not what was written"
        case .wrongCount: "a list does not have one element for each image"
        case .checksumMismatch: "the bytes of an image, or of a mask, are not those that were imported"
        case .wrongFingerprint: "the stored fingerprint is not that of the content"
        case .duplicateId: "two samples have the same id"
        case .labelOutOfRange: "a label is below zero, or has no class"
        case .splitOutOfRange: "a sample's split has no name"
        case .groupOutOfRange: "a sample's group is below zero, or has no name"
        case .notFinite: "an image or a weight is infinite or no number"
        case .largeValues: "floats lie outside [−10, 10] (warning)"
        case .suspiciousLayout: "the images look as if their dimensions stood in another order (warning)"
        case .missingDimensionLabels: "/images does not name its dimensions (warning)"
        case .otherDataset: "the masks or the run were made for another dataset, or of another size"
        case .classOrderChanged: "the masks were made for these samples with other labels"
        case .wrongMaskSize: "a mask's height, width or channels are not those of the images"
        case .wrongMaskLayout: "the dimensions of A stand in another order"
        case .nonBinaryMask: "A holds something else than 0 and 1"
        case .rowOutOfRange: "a sample's row is not a row of A"
        case .rowsFromOne: "the rows of A are counted from 1 (a warning where all of them exist)"
        case .lastRowNotZero: "the last row of A, for unannotated samples, is not all zero"
        case .shiftedMasks: "the masks fit the image before or after their own better (warning)"
        case .mostlyMasked: "more than half of an image is masked on average (warning)"
        case .unusedMasks: "no sample refers to a mask (warning)"
        case .nothingMasked: "no sample has a mask with a 1 (warning)"
        case .missingFile: "a file of a run is not there"
        case .malformedModel: "model.json describes no network"
        case .wrongWeights: "the weights are not those of the model"
        }
    }

    /// Every code and what it says, a line each.
    static var table: String {
        let width = allCases.map(\.rawValue.count).max() ?? 0
        return allCases.map { code in
            "  " + code.rawValue + String(repeating: " ", count: width - code.rawValue.count + 2)
                + code.explanation
        }.joined(separator: "\n")
    }
}
