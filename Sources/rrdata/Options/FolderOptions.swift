internal import ArgumentParser
import RRDatasets

/// How a folder of images is read.
struct FolderOptions: ParsableArguments {
    @Option(
        help: "folders, as most people sort images, for a class a folder, or none for images without labels.")
    var labels: ImageFolderOptions.Labels = .folders

    @Option(
        help:
            "The list of the images, CSV or JSON lines; the folder's metadata.csv or metadata.jsonl by default."
    )
    var metadata: String?

    @Option(
        help: ArgumentHelp(
            """
            The columns of the list: file=NAME, label=NAME (of one-hot columns label=A+B+C), split=NAME, group=NAME (of \
            several group=A+B) and mask=NAME; file_name, label, split, group and mask_file_name by default.
            """, valueName: "what=column,…"))
    var columns: ImageListColumnNames?

    @Option(
        help: ArgumentHelp(
            "What the values of the list's column split mean: train=0,val=1,test=2.",
            valueName: "split=value,…"))
    var splitValues: SplitValues?

    @Option(
        help: ArgumentHelp(
            "Which folders are splits; those called train, val, test and the like by default.",
            valueName: "split=folder,…"))
    var splits: SplitFolders?

    @Flag(
        name: .customLong("no-splits"),
        help: "Take folders called train, val, test and the like as any other.")
    var ignoresSplits = false

    @Flag(
        inversion: .prefixedNo,
        help: "Files called as masks of others (x_mask.png, masks/x.png) are masks, or are images.")
    var masksAmongImages: Bool?

    @Flag(help: "Follow symbolic links that lead out of the folder.")
    var trustLinks = false

    @Option(
        help: "auto for the colour type of the files, which loses nothing, or gray, rgb, rgba or gray-alpha.")
    var color: ImageFolderOptions.Color = .auto

    @Option(help: "The bits of a sample, 8 or 16; those of the files by default.")
    var depth: ImageFolderOptions.Depth?

    @Option(
        help:
            "Files whose Exif data says that they are to be turned: ignore it, so that masks drawn on the stored pixels fit, or apply."
    )
    var orientation: ImageFolderOptions.Orientation = .ignore

    @Option(
        help:
            "JPEG files that end before their image does: refuse, since half an image shows half of it, or complete it with gray, and count them."
    )
    var truncated: TruncatedFiles = .refuse

    @Option(help: "HEIGHTxWIDTH, the size that images are brought to.")
    var size: ImageSize?

    @Option(help: "How images of other proportions are brought to --size: stretch, crop or pad.")
    var fit: Resizing.Fit?

    @Option(
        help:
            "RRGGBB, the colour behind transparent pixels and around padded images; 000000, the black of no light, by default."
    )
    var background: RGBColor?

    func validate() throws {
        if ignoresSplits, splits != nil {
            throw ValidationError("--splits and --no-splits exclude each other")
        }
        if labels == .none, metadata != nil || columns != nil || splitValues != nil {
            throw ValidationError(
                "--metadata, --columns and --split-values go with labels: leave out --labels none")
        }
        if fit != nil, size == nil { throw ValidationError("--fit goes with --size") }
        if background != nil, fit != .pad, color != .gray, color != .rgb {
            throw ValidationError("--background goes with --fit pad, --color gray or --color rgb")
        }
    }

    /// Opens a dataset file or a folder of images, and says how it was read.
    ///
    /// - Throws: as `Dataset.init(path:reading:)`; `ValidationError` where options are given and nothing is a folder.
    func open(_ path: String) throws -> Dataset {
        let reading = try reading()
        let dataset = try Dataset(path: path, reading: reading)
        try note(reading, of: dataset)
        return dataset
    }

    /// Opens several as one dataset.
    ///
    /// - Throws: as `Dataset.joining` and `open(_:)` of one.
    func open(_ paths: [String]) throws -> Dataset {
        let reading = try reading()
        let dataset = try Dataset.joining(paths, reading: reading)
        try note(reading, of: dataset)
        return dataset
    }

    private func note(_ reading: ImageFolderOptions, of dataset: Dataset) throws {
        Console.note(dataset.notes)
        guard dataset.readsFolder || reading == ImageFolderOptions() else {
            throw ValidationError(
                "--labels, --color, --depth, --size and --fit, and what else says how a folder is read, go with a folder "
                    + "of images, and there is none")
        }
    }

    /// - Throws: `DatasetError` with the code `invalidOption` for a size that is too large.
    func reading() throws -> ImageFolderOptions {
        var reading = ImageFolderOptions()
        reading.labels = labels
        columns?.apply(to: &reading.list)
        reading.list.path = metadata
        reading.list.splitNames = splitValues?.names ?? [:]
        reading.splits = ignoresSplits ? .none : splits ?? .byName
        reading.trustsLinks = trustLinks
        reading.masksAmongImages = masksAmongImages
        reading.color = color
        reading.orientation = orientation
        reading.completesFiles = truncated == .complete
        reading.depth = depth
        reading.resizing = try size.map {
            try Resizing(height: $0.height, width: $0.width, fit: fit ?? .stretch)
        }
        reading.background = background ?? .black
        return reading
    }
}

/// What is done about image files that end too early.
enum TruncatedFiles: String, ExpressibleByArgument, CaseIterable {
    case refuse
    case complete
}
