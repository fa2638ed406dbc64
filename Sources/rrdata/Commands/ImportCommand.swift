internal import ArgumentParser
import RRDatasets
import RRFormats
import RRPreparation
import RRReports
import RRSchemas
import RRTensor

struct ImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Make a dataset, and masks, of the files that you have.",
        discussion: """
            Example:
              rrdata import images photos -o photos.h5
              rrdata import hdf5 skin.h5 --images /images --labels /labels -o skin-dataset.h5
            """,
        subcommands: [
            ImportImagesCommand.self, ImportPNGsCommand.self, ImportHDF5Command.self, ImportNPYCommand.self,
            ImportNPZCommand.self,
            ImportIDXCommand.self, ImportMasksCommand.self,
        ])
}

/// What an import reports, in text and in JSON.
struct ImportReport {
    let summary: ImportSummary

    /// Prints the report, and notes on standard error what a user may not expect.
    func print(as options: ReportOptions) {
        if options.json { Console.print(json: json) } else { Console.print(Message(text)) }
        if summary.otherFileCount > 0 {
            Console.error(
                "rrdata: note: files passed over because their names are not those of images: \(summary.otherFileCount)"
            )
        }
        for skipped in summary.skippedFiles {
            Console.note("skipped \(skipped.path): \(skipped.reason)")
        }
        if summary.colorSpaceCount > 0 {
            Console.error(
                "rrdata: note: images whose gamma or colour profile was ignored: \(summary.colorSpaceCount)")
        }
        Console.note(summary.notes)
        if let masks = summary.masks, masks.suggestsRightMarks {
            Console.error(
                "rrdata: warning: the masks cover \(Figure.percent(masks.meanShare)) of their images on average; if "
                    + "they mark the right regions, import them with --marks right")
        }
    }

    private var text: String {
        var parts = ["\(summary.sampleCount) images of \(summary.imageShape) \(summary.elementType.rawValue)"]
        if let classNames = summary.classNames { parts.append("\(classNames.count) classes") }
        if !summary.splits.isEmpty {
            parts.append(
                summary.splits.map { "\($0.name.legible) \($0.sampleCount)" }.joined(separator: ", "))
        }
        if !summary.isLabelled { parts.append("no labels") }
        var text = "\(summary.path.legible): \(parts.joined(separator: "; "))"
        if let masks = summary.masks {
            text += "\n\(masks.path.legible): masks for \(masks.annotatedCount) images"
        }
        return text
    }

    private var json: JSONValue {
        var object: [String: JSONValue] = [
            "output": .string(summary.path), "samples": .integer(summary.sampleCount),
            "image_shape": .array(summary.imageShape.dimensions.map { .integer($0) }),
            "element_type": .string(summary.elementType.rawValue), "color": .string(summary.color),
            "class_names": summary.classNames.map { .array($0.map { .string($0) }) } ?? .null,
            "splits": .object(
                Dictionary(summary.splits.map { ($0.name, .integer($0.sampleCount)) }) { first, _ in first }),
            "fingerprint": .string(summary.fingerprint),
            "skipped": .array(summary.skippedFiles.map(\.json)),
            "other_files": .integer(summary.otherFileCount),
            "ignored_color_spaces": .integer(summary.colorSpaceCount),
        ]
        if !summary.notes.isEmpty {
            object["notes"] = .array(summary.notes.map { .string($0.commandLineText) })
        }
        if !summary.untakenArrays.isEmpty {
            object["not_taken"] = .array(summary.untakenArrays.map { .string($0) })
        }
        if let masks = summary.masks {
            object["masks"] = [
                "output": .string(masks.path), "annotated": .integer(masks.annotatedCount),
                "mean_share": .number(masks.meanShare),
            ]
        }
        return .object(object)
    }
}
