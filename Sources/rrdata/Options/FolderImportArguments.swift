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
            "What an image or mask leads to that cannot be decoded, or is listed and not there: stop, or skip it and say so."
    )
    var onError: PNGFolderImport.ErrorPolicy = .stop

    @Option(
        help: """
            none, or deflate for a smaller file that any HDF5 reader inflates; none by default, but for an export of \
            a dataset that was compressed.
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

    /// Imports the files of some kinds.
    func run(_ files: ImageFolderOptions.Files) throws {
        var options = PNGFolderImport.Options()
        options.reading = try reading.reading()
        options.reading.files = files
        options.onError = onError
        options.compression = compress
        options.force = output.force
        if let threadCount = threads.jobs { options.threadCount = threadCount }
        if let masksOutput {
            var masksOptions = MaskImport.Options()
            maskValues.apply(to: &masksOptions)
            masksOptions.orientation = options.reading.orientation
            masksOptions.drawnOn = masksDrawnOn
            masksOptions.onError = onError
            masksOptions.threadCount = options.threadCount
            options.masks = AccompanyingMasks(source: masks, output: masksOutput, options: masksOptions)
        }
        let line = ProgressLine()
        let summary = try PNGFolderImport(folder: folder, output: output.output, options: options).run {
            line.show("images", done: $0, of: $1)
        }
        line.clear()
        ImportReport(summary: summary).print(as: report)
    }
}
