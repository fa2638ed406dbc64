internal import ArgumentParser
import RRDatasets
import RRPreparation

/// What an import of a folder of images is told.
struct FolderImportArguments: ParsableArguments {
    @Argument(help: "The folder.")
    var folder: String

    @OptionGroup var output: OutputOptions

    @OptionGroup var reading: FolderOptions

    @Option(
        help:
            "What an image or mask leads to that cannot be decoded, or is listed and not there: stop, so that nothing is missed, or skip it and say so."
    )
    var onError: PNGFolderImport.ErrorPolicy = .stop

    @Option(
        help: """
            none, or deflate for a smaller file that any HDF5 reader inflates; none, which is read fastest, by default, but \
            for an export of a dataset that was compressed.
            """)
    var compress: Compression?

    @Option(
        help: "Masks of the images, as import masks reads them: a folder of PNG files named after the ids, …."
    )
    var masks: String?

    @Option(
        help: """
            Where the mask set is written; without --masks, of the files that mask_file_name names or that are among \
            the images.
            """)
    var masksOutput: String?

    @Option(
        help: """
            With --orientation apply, masks without an eXIf chunk of turned images: drawn on the pixels as stored, and \
            turned alike, or on the image as shown; by their sizes where these tell.
            """)
    var masksDrawnOn: MaskImport.DrawnOn?

    @OptionGroup var maskValues: MaskValueOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup var report: ReportOptions

    var paths: CommandPaths {
        var paths = CommandPaths(output)
        paths.read(folder)
        paths.read(reading.metadata, option: .metadata)
        paths.read(masks, option: .masks)
        paths.write(masksOutput, .masksOutput)
        return paths
    }

    func validate() throws {
        if masks != nil, reading.masksAmongImages == true {
            throw ValidationError(
                "--masks says where masks are, --masks-among-images that they are among the images")
        }
        if masksOutput == nil, masks != nil || maskValues.isGiven || masksDrawnOn != nil {
            throw ValidationError("--masks, and what says how masks are read, goes with --masks-output")
        }
    }
}

/// A command that makes a dataset of a folder of images.
protocol FolderImportCommand: PathCommand {
    /// Which files are taken for images.
    static var files: ImageFolderOptions.Files { get }

    var arguments: FolderImportArguments { get }
}

extension FolderImportCommand {
    var paths: CommandPaths { arguments.paths }

    func run() throws {
        let arguments = arguments
        var options = PNGFolderImport.Options()
        options.reading = try arguments.reading.reading()
        options.reading.files = Self.files
        options.onError = arguments.onError
        options.compression = arguments.compress
        options.force = arguments.output.force
        if let threadCount = arguments.threads.jobs { options.threadCount = threadCount }
        if let masksOutput = arguments.masksOutput {
            var masks = MaskImport.Options()
            arguments.maskValues.apply(to: &masks)
            masks.orientation = options.reading.orientation
            masks.drawnOn = arguments.masksDrawnOn
            masks.onError = arguments.onError
            masks.threadCount = options.threadCount
            options.masks = AccompanyingMasks(source: arguments.masks, output: masksOutput, options: masks)
        }
        let line = ProgressLine()
        let summary = try PNGFolderImport(
            folder: arguments.folder, output: arguments.output.output, options: options
        ).run {
            line.show("images", done: $0, of: $1)
        }
        line.clear()
        ImportReport(summary: summary).print(as: arguments.report)
    }
}
