internal import ArgumentParser
import RRDatasets
import RRFormats
import RRPreparation
import RRSchemas

struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write a dataset and its masks, or a trained network, as files for other programs.",
        discussion: """
            Examples:
              rrdata export pngs photos.h5 --masks masks.h5 -o photos
              rrdata export npy photos.h5 -o arrays
              rrdata export model run -o model.onnx
            """,
        subcommands: [
            ExportPNGsCommand.self, ExportNPYCommand.self, ExportHDF5Command.self,
            ExportWebDatasetCommand.self, ExportModelCommand.self,
        ])
}

/// What every export takes.
struct ExportOptions: ParsableArguments {
    @Argument(help: "The dataset, or a folder of PNG files.")
    var dataset: String

    @Option(help: "A mask set of the dataset, to be exported along.")
    var masks: String?

    @Option(help: "The split that is exported; all for every sample.")
    var split: String = "all"

    @OptionGroup(title: "How a folder of PNG files is read") var folder: FolderOptions
    @OptionGroup var output: OutputOptions

    func paths(isFolder: Bool) -> CommandPaths {
        var paths = CommandPaths(output, isFolder: isFolder)
        paths.read(dataset)
        paths.read(masks, option: .masks)
        return paths
    }

    func source() throws -> ExportSource {
        let dataset = try folder.open(dataset)
        return try ExportSource(
            dataset: dataset, masks: masks.map { try MaskSet(path: $0, for: dataset) }, split: split)
    }
}

/// What the exports of arrays take.
struct ArrayExportOptions: ParsableArguments {
    @OptionGroup var export: ExportOptions

    @Option(help: "The order of the dimensions of images and masks: NCHW, PyTorch's, or NHWC.")
    var layout: ArrayExport.Layout = .nchw

    @OptionGroup var report: ReportOptions

    func run(_ format: ArrayExport.Format) throws {
        var work = ArrayExport(source: try export.source(), format: format, output: export.output.output)
        work.layout = layout
        work.force = export.output.force
        try ProgressLine.during("samples") { try work.run(progress: $0) }.print(as: report)
    }
}

extension ExportSummary {
    /// Prints what was written, and notes on standard error what a user may not expect.
    func print(as options: ReportOptions) {
        if options.json {
            Console.print(json: [
                "output": .string(path), "samples": .integer(sampleCount),
                "annotated": annotatedCount.map { .integer($0) } ?? .null,
                "masks_output": masksPath.map { .string($0) } ?? .null,
                "files": .array(files.map { .string($0) }),
                "notes": .array(notes.map { .string($0.commandLineText) }),
            ])
        } else {
            var text = "\(path.legible): \(sampleCount) images"
            if !files.isEmpty {
                let listed = files.prefix(6).map(\.legible).joined(separator: ", ")
                text += " (\(listed)\(files.count > 6 ? ", … \(files.count) files" : ""))"
            }
            if let annotatedCount {
                text += "\n\((masksPath ?? path).legible): masks for \(annotatedCount) images"
            }
            Console.print(Message(text))
        }
        Console.note(notes)
    }
}
