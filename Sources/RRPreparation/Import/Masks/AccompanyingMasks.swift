internal import RRDatasets
internal import RRFormats
internal import RRSchemas

/// Masks that are imported along with the images of a folder.
public struct AccompanyingMasks: Sendable {
    /// Where the masks are, in any form that `MaskImport` reads; nil where the images' metadata names a file
    /// for each, or masks are among the images.
    public var source: String?
    /// The mask set's file.
    public var output: String
    public var options: MaskImport.Options

    public init(source: String? = nil, output: String, options: MaskImport.Options = .init()) {
        self.source = source
        self.output = output
        self.options = options
    }
}

/// A mask set that is to appear together with its dataset.
struct PendingMasks {
    private let masks: AccompanyingMasks
    /// What is committed together with the dataset.
    let file: AtomicOutput

    /// Checks what can be checked before the images are imported.
    ///
    /// - Throws: `DatasetError` with the code `invalidOption`; `FormatError` where the source is missing or the output
    ///   exists or cannot be written.
    init(_ masks: AccompanyingMasks, beside dataset: String, force: Bool) throws {
        guard !PathPlan.areSame(masks.output, dataset) else {
            throw DatasetError(
                .invalidOption, path: dataset, "the dataset and the masks cannot be the same file")
        }
        if let source = masks.source {
            let importer = MaskImport(
                source: source, dataset: "", output: masks.output, options: masks.options)
            try importer.checkOptions(for: importer.kind())
        } else if masks.options.match != nil {
            throw DatasetError(
                .invalidOption, path: dataset,
                "\(option: .match) is for the files of \(option: .masks); metadata names each mask"
            )
        }
        self.masks = masks
        file = try AtomicOutput(path: masks.output, force: force)
    }

    /// Reads the masks and writes the mask set.
    ///
    /// - Parameters:
    ///   - path: the finished dataset, wherever it is.
    ///   - files: the paths of each sample's masks relative to the folder, where the folder says them.
    ///   - turns: how images were turned, by sample.
    /// - Returns: what the mask set holds, and what a user should know.
    /// - Throws: as `MaskImport.run`.
    func write(
        forDatasetAt path: String, files: [[String]]?, turns: [Int: PNGTurn], in folder: String
    ) throws -> (summary: ImportSummary.Masks, notes: [Message], skippedFiles: [ImportSummary.SkippedFile]) {
        let dataset = try Dataset(path: path)
        let importer = MaskImport(
            source: masks.source ?? folder, dataset: path, output: masks.output, options: masks.options)
        let turned = TurnedImages(turns, drawnOn: masks.options.drawnOn)
        let kind: MaskSourceKind
        let imported: ImportedMasks
        if masks.source != nil {
            kind = try importer.kind()
            imported = try importer.gather(kind, for: dataset, turned: turned) { _, _ in }
        } else if let files {
            kind = .pngs
            let named = try PNGMaskFolder(
                folder: folder, paths: files, dataset: dataset, options: masks.options, turned: turned)
            imported = try ImportedMasks(
                named, for: dataset, options: masks.options, progress: { _, _ in })
        } else {
            throw DatasetError(
                .invalidOption, path: folder,
                "no metadata with a column mask_file_name names the masks; say where they are with \(option: .masks)"
            )
        }
        let summary = try importer.write(imported, kind, to: file)
        return (
            ImportSummary.Masks(
                path: masks.output, annotatedCount: summary.annotatedCount, meanShare: summary.meanShare,
                marks: masks.options.marks),
            summary.notes, summary.skippedFiles
        )
    }
}
