public import RRDatasets
internal import RRFormats
internal import RRSchemas
internal import RRTensor

/// Makes a mask set for a dataset of masks in whatever form they come.
///
/// The source is a folder of PNG files, a COCO annotation file, a table of boxes, arrays in an HDF5, NPY or NPZ file, or
/// annotations of labelme, CVAT, Label Studio or YOLO; it is told by its content.
public struct MaskImport: Sendable {
    public struct Options: Sendable {
        /// What the source is; nil for what it shows to be.
        public var format: MaskSourceKind?
        public var marks: MaskMarks = .wrong
        /// How the dataset is read where it is a folder of images.
        public var reading = ImageFolderOptions()
        /// What is done about mask files whose eXIf chunk says that they are to be turned; as for the images.
        public var orientation: ImageFolderOptions.Orientation = .ignore
        /// What masks without such a chunk were drawn on whose images were turned, where that is not seen by their size or
        /// by other masks; nil to refuse them.
        public var drawnOn: DrawnOn?
        /// Nil for `unannotated`, but for an export of ours, whose every mask file is of an annotated sample.
        public var empty: EmptyMasks?
        /// How a PNG file's name is made of an id; nil for the id alone.
        public var match: String?
        /// The palette indices, gray values or elements that count as 1; nil for 1, or the largest throughout.
        public var maskValues: [Int]?
        /// Of PNG files the share of the largest gray value from which a pixel counts as 1, of arrays the least
        /// element that does; of soft masks among annotations the share of the largest value, where nil takes all that is
        /// not 0.
        public var maskThreshold: Double?
        /// The colours of PNG files that count as 1; nil where values do.
        public var maskColors: [RGBColor]?
        /// What is done to the masks before anything else.
        public var adjustment = MaskAdjustment()
        /// What the numbers in a table's lists of boxes are; nil for what the boxes show.
        public var boxes: BoxForm?
        /// The names or ids of the categories or labels of annotations that are taken; empty for all.
        public var categories: [String] = []
        /// The smallest area of a COCO annotation that is taken, in pixels.
        public var minimumArea: Double?
        /// The largest area of a COCO annotation that is taken, in pixels.
        public var maximumArea: Double?
        /// Whether what is wrong with a single annotation, and does not touch others, is an error: one for an image
        /// that is not in the file, or a polygon of fewer than three points. Else it is left out and counted.
        public var isStrict = false
        /// The array of masks in an HDF5 or NPZ file; nil where it holds one array.
        public var masks: String?
        /// How the array of masks is laid out; nil where its shape says so.
        public var masksLayout: ArrayLayout?
        /// The array of the row numbers of the samples that an array of masks is for; for NPY a file.
        public var rows: String?
        /// The array of the ids of the samples that an array of masks is for.
        public var ids: String?
        /// The array of a truth value for each sample: whether it has a mask.
        public var flags: String?
        /// What a PNG file leads to that cannot be decoded; where it is left out, its sample has no mask.
        public var onError: PNGFolderImport.ErrorPolicy = .stop
        /// The number of threads that decode; it has no effect on the result.
        public var threadCount = Workers.coreCount
        /// Whether an existing output is replaced.
        public var force: Bool = false

        public init() {}

        var emptyMasks: EmptyMasks { empty ?? .unannotated }

        /// Which pixels or elements count as 1.
        var maskRule: MaskPixelRule { MaskPixelRule(values: maskValues, threshold: maskThreshold) }

        /// Which pixels of PNG files do.
        var pngRule: PNGMask.Rule {
            PNGMask.Rule(
                pixels: maskRule, colors: maskColors, inverts: adjustment.inverts, marksRight: marks == .right
            )
        }
    }

    public let source: String
    /// The file of the dataset that the masks are for, or a folder of images.
    public let dataset: String
    public let output: String
    public let options: Options

    public init(source: String, dataset: String, output: String, options: Options = Options()) {
        self.source = source
        self.dataset = dataset
        self.output = output
        self.options = options
    }

    /// Imports; the same source, dataset and options make the same bytes.
    ///
    /// Memory grows by a bit for each element of a mask.
    ///
    /// - Parameter progress: called with the number of masks done and the number of all.
    /// - Throws: `FormatError` where a file is missing, cannot be read or is malformed, or the output exists or
    ///   cannot be written; `DatasetError` with the code `invalidOption`, `unmatchedMasks`, `ambiguousName`,
    ///   `duplicateMask`, `wrongMaskSize`, `nonBinaryMask`, `unreadableImage`, `badAnnotation`, `empty` and those
    ///   of the dataset. No output is left then.
    public func run(progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }) throws -> MaskImportSummary {
        try AtomicOutput.checkTarget(output, force: options.force)
        let kind = try kind()
        try checkOptions(for: kind)
        let dataset = try Dataset(path: dataset, reading: options.reading)
        guard dataset.readsFolder || options.reading == ImageFolderOptions() else {
            throw DatasetError(
                .invalidOption, path: dataset.path,
                "this is no folder of images, and options say how one is read, such as \(option: .labels) and \(option: .size)"
            )
        }
        let file = try AtomicOutput(path: output, force: options.force)
        var masks = try gather(kind, for: dataset, progress: progress)
        if kind == .pngs, let note = try dataset.noteOnTurnedImages() { masks.tally.readings.append(note) }
        // How a folder was read belongs to what its masks are for.
        if dataset.readsFolder { masks.tally.readings = dataset.notes + masks.tally.readings }
        let summary = try write(masks, kind, to: file)
        try file.commit()
        return summary
    }

    /// Writes a mask set to an output that the caller commits.
    func write(
        _ masks: ImportedMasks, _ kind: MaskSourceKind, to file: AtomicOutput
    ) throws -> MaskImportSummary {
        let export = kind == .pngs ? try ExportMark(of: source, kind: "mask-pngs") : nil
        try MaskSetWriter.write(
            masks.maskSet,
            provenanceText: try export?.maskProvenance(of: masks.maskSet)
                ?? provenance(kind, masks).serialized(),
            to: file)
        return MaskImportSummary(
            path: output, source: kind, sampleCount: masks.maskSet.sampleCount,
            maskShape: masks.maskSet.maskShape,
            marks: options.marks, suppliedCount: masks.suppliedCount, annotatedCount: masks.annotatedCount,
            emptyCount: masks.emptyCount, meanShare: masks.meanShare, tally: masks.tally,
            skippedFiles: masks.skippedFiles)
    }

    /// Reads the masks of the source.
    ///
    /// - Parameter turned: the images that were turned when they were read from a folder.
    func gather(
        _ kind: MaskSourceKind, for dataset: Dataset, turned: TurnedImages = TurnedImages(),
        progress: (Int, Int) -> Void
    ) throws -> ImportedMasks {
        func names() throws -> SampleNames {
            try SampleNames(ids: dataset.ids()) { sample in
                SampleFolders.Belonging(
                    className: dataset.labels.flatMap { labels in dataset.classNames?[labels[sample]] },
                    splitName: dataset.splits.map { dataset.splitNames[Int($0[sample])] })
            }
        }
        let masks: any MaskSource
        switch kind {
        case .pngs:
            masks = try PNGMaskFolder(
                folder: source, names: names(), dataset: dataset, options: options, turned: turned)
        case .coco:
            masks = try COCOMasks(path: source, names: names(), dataset: dataset, options: options)
        case .boxes:
            masks = try BoxMasks(path: source, names: names(), dataset: dataset, options: options)
        case .labelme, .cvat, .labelStudio, .yolo:
            masks = try AnnotationMasks(
                annotations(kind), names: names(), dataset: dataset, options: options)
        case .arrays:
            return try ImportedMasks(arraysIn: source, for: dataset, options: options)
        }
        var imported = try ImportedMasks(
            masks, for: dataset, options: options(for: kind), progress: progress)
        if masks is AnnotationMasks, let note = try dataset.noteOnUnturnedImages() {
            imported.tally.readings.append(note)
        }
        return imported
    }

    /// What the source is.
    ///
    /// - Throws: as `MaskSourceKind.init`.
    func kind() throws -> MaskSourceKind {
        try MaskSourceKind(
            ofSource: source, format: options.format,
            prefersImages: options.maskValues != nil || options.maskColors != nil || options.match != nil)
    }

    private func annotations(_ kind: MaskSourceKind) throws -> AnnotationSet {
        if FileTree.kind(of: source) == .folder {
            var folder = try AnnotationFolder(source)
            return try folder.read(kind)
        }
        return switch kind {
        case .cvat: try CVATFile.read(source)
        case .labelStudio: try LabelStudioFile.read(source)
        default: try LabelmeFiles.read([source], in: source)
        }
    }
}
