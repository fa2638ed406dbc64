import RRDatasets
import RRFormats
import RRPreparation
import RRReports
import RRSchemas
import RRTensor

/// What an import of masks reports, in text and in JSON.
struct MaskImportReport {
    let summary: MaskImportSummary

    /// Prints the report, and notes on standard error what a user may not expect.
    func print(as options: ReportOptions) {
        if options.json { Console.print(json: json) } else { Console.print(Message(text)) }
        for skipped in summary.skippedFiles {
            Console.note("skipped \(skipped.path): \(skipped.reason)")
        }
        for note in summary.notes { Console.note(note) }
        if summary.annotatedCount == 0 {
            Console.error("rrdata: warning: no sample is annotated: no mask has a 1")
        }
        if summary.suggestsRightMarks {
            Console.error(
                "rrdata: warning: the masks cover \(Figure.percent(summary.meanShare)) of their images on average; if "
                    + "they mark the right regions, import them with --marks right")
        }
    }

    private var text: String {
        var text =
            "\(summary.path.legible): masks of \(summary.maskShape) for \(summary.annotatedCount) of \(summary.sampleCount) "
            + "samples, \(Figure.percent(summary.meanShare)) of an image on average"
        if summary.marks == .right { text += ", inverted" }
        return text
    }

    private var json: JSONValue {
        let tally = summary.tally
        return [
            "output": .string(summary.path), "source_kind": .string(summary.source.rawValue),
            "samples": .integer(summary.sampleCount), "annotated": .integer(summary.annotatedCount),
            "mask_shape": .array(summary.maskShape.dimensions.map { .integer($0) }),
            "marks": .string(summary.marks.rawValue), "mean_share": .number(summary.meanShare),
            "empty_masks": .integer(summary.emptyCount),
            "samples_without_mask": .integer(summary.samplesWithoutMask),
            "without_sample": [
                "count": .integer(tally.withoutSample.count),
                "first": .array(tally.withoutSample.first.map { .string($0) }),
            ],
            "matched_by": tally.matching.map { .string($0.rawValue) } ?? .null,
            "annotations": tally.annotations.map { annotations in
                [
                    "used": .integer(annotations.used), "filtered": .integer(annotations.filtered),
                    "unmatched": .integer(annotations.unmatched),
                ]
            } ?? .null,
            "other_files": .integer(tally.otherFileCount),
            "skipped": .array(summary.skippedFiles.map(\.json)),
            "notes": .array(summary.notes.map { .string($0.commandLineText) }),
        ]
    }
}
