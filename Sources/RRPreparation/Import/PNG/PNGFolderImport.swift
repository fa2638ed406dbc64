public import RRDatasets
internal import RRFormats
internal import RRSchemas
internal import RRTensor

/// Makes a dataset of the image files in a folder: of its PNG files, and of JPEG files where that is asked for.
///
/// Folders on the first level are classes, sorted by name; or `train`, `val` and `test` are splits, and the
/// classes are within them. Files are found at any depth below. Or a `metadata.csv` or `metadata.jsonl` names the
/// files and their labels. A sample's id is its file's path without the extension. Samples are sorted by split,
/// class and path, bytewise by path component.
///
/// Nothing is converted unasked, but that palettes become RGB, transparent colours become alpha, and gray of 1, 2 or
/// 4 bits is scaled to 8. Gamma and colour profiles are ignored, and the files that have some are counted.
public struct PNGFolderImport: Sendable {
    /// What a file that cannot be decoded leads to.
    public enum ErrorPolicy: String, Sendable, CaseIterable {
        /// To the end of the import.
        case stop
        /// To a dataset without the file, which the summary names.
        case skip
    }

    public struct Options: Sendable {
        /// How files become images and labels, as where a stream reads the folder; of PNG files alone unless its `files`
        /// says otherwise.
        public var reading: ImageFolderOptions = {
            var reading = ImageFolderOptions()
            reading.files = .pngs
            return reading
        }()
        public var onError: ErrorPolicy = .stop
        /// Nil for that of the exported dataset where the folder is an export of ours, else `none`.
        public var compression: Compression?
        /// Masks that are imported along; both files appear, or neither.
        public var masks: AccompanyingMasks?
        /// The number of threads that decode; it has no effect on the result.
        public var threadCount = Workers.coreCount
        /// Whether an existing output is replaced.
        public var force: Bool = false

        public init() {}
    }

    public let folder: String
    public let output: String
    public let options: Options

    public init(folder: String, output: String, options: Options = Options()) {
        self.folder = folder
        self.output = output
        self.options = options
    }

    /// Imports; the same files and options make the same bytes.
    ///
    /// Files are read, decoded and written at the same time. Memory grows by some 60 bytes and a path for each file,
    /// not by pixels.
    ///
    /// - Parameter progress: called with the number of files done and the number of all.
    /// - Throws: `FormatError` where a file or folder is missing or cannot be read, a name is not UTF-8, a symbolic
    ///   link leads out of the folder, or the output exists or cannot be written; `DatasetError` with the code
    ///   `badFolderStructure`, `badMetadata`, `unsafeId`, `duplicateId`, `empty`, `unreadableImage` (damaged, or too
    ///   large), `inconsistentImages` or `invalidOption`. The error names the file, and no output is left.
    public func run(progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }) throws -> ImportSummary {
        let reading = options.reading
        var files = try PNGFolderScan(
            folder: folder, reading, skipsMissing: options.onError == .skip
        ).files
        let missing =
            files.missing.map { ImportSummary.SkippedFile(path: $0.path, reason: $0.reason.description) }
            + leaveOutMissingMasks(of: &files)
        let conversion = try PNGConversion(
            reading, firstOf: files, in: folder, skipsDamaged: options.onError == .skip)
        let imageShape = try conversion.imageShape
        let export = try ExportMark(of: folder, kind: "pngs", trustsLinks: reading.trustsLinks)
        let compression = options.compression ?? export?.compression ?? .none
        let masks = try options.masks.map { try PendingMasks($0, beside: output, force: options.force) }
        var writer = try DatasetWriter(
            path: output, force: options.force, sampleCount: files.count, imageShape: imageShape,
            elementType: conversion.elementType, color: conversion.colorName, compression: compression)

        var skipped: [(position: Int, file: ImportSummary.SkippedFile)] = []
        let pipeline = PNGImportPipeline(
            folder: folder, paths: files.paths, conversion: conversion,
            threadCount: options.threadCount)
        var (tally, turns) = try pipeline.run { block in
            for (position, fault) in block.faults {
                switch fault {
                case .otherHeader: throw reading.disagreement(of: files, in: folder, conversion)
                case .failure(let error):
                    guard options.onError == .skip else { throw ImageFolderOptions.unreadable(error) }
                    skipped.append(
                        (position, .init(path: files.paths[position], reason: error.message.description)))
                }
            }
            try writer.write(images: block.images, rows: block.files, checksums: Array(block.checksums))
            progress(block.files.upperBound, files.count)
        }
        guard skipped.count < files.count else { throw files.noneReadable(in: folder) }
        var sourceSizes = pipeline.sourceSizes
        if !skipped.isEmpty {
            let left = Set(skipped.map(\.position))
            let kept = files.paths.indices.filter { !left.contains($0) }
            files = files.keeping(kept)
            sourceSizes = sourceSizes.map { sizes in kept.map { sizes[$0] } }
            turns = Dictionary(
                uniqueKeysWithValues: kept.enumerated().compactMap { sample, position in
                    turns[position].map { (sample, $0) }
                })
            writer = try writer.keeping(kept)
        }
        let provenance = provenance(
            skipped: missing + skipped.map(\.file), files, tally, compression: compression,
            resizing: options.reading.resizing
                ?? (export?.imageDimensions == imageShape.dimensions ? export?.resizing : nil))
        var table = files.table
        table.sourceSizes = sourceSizes
        var color = conversion.colorName
        var colorRemark: Message?
        let fingerprint = try writer.complete(table, id: { ImageNames.stem(of: files.paths[$0]) }) {
            fingerprint in
            let origin = export?.origin(
                of: table, fingerprint: fingerprint, channels: imageShape.channels)
            guard compression == export?.compression, let origin else {
                return .init(provenance: provenance.serialized(), sourceSizes: origin?.sourceSizes)
            }
            color = origin.color ?? color
            colorRemark = export?.colorRemark(channels: imageShape.channels)
            return origin
        }
        let written = try masks?.write(
            forDatasetAt: writer.output.temporaryPath, files: files.maskPaths, turns: turns, in: folder)
        try writer.output.commit(before: masks?.file)
        var notes =
            files.notes + tally.notes(reading.orientation, of: "images") + (written?.notes ?? [])
        if let colorRemark { notes.append(colorRemark) }
        // An export gives back what was there.
        if export == nil {
            notes += LabelRemarks.notes(labels: table.labels, classNames: table.classNames)
        }
        if files.maskPaths != nil, masks == nil {
            notes.append(
                options.reading.masksAmongImages == true
                    ? "masks among the images are left out; \(option: .masksOutput) imports them"
                    : "the metadata names masks; \(option: .masksOutput) imports them")
        }
        return ImportSummary(
            path: output, sampleCount: files.count, imageShape: imageShape,
            elementType: conversion.elementType, color: color, isLabelled: table.labels != nil,
            classNames: table.classNames,
            splits: table.splitNames.enumerated().map { number, name in
                .init(name: name, sampleCount: table.splits?.count { $0 == number } ?? 0)
            },
            fingerprint: fingerprint,
            skippedFiles: missing + skipped.map(\.file) + (written?.skippedFiles ?? []),
            otherFileCount: files.otherFileCount,
            masks: written?.summary, colorSpaceCount: tally.colorSpaceCount, maskPaths: files.maskPaths,
            notes: notes)
    }
}

extension PNGFolderImport {
    /// Takes masks out of a list that are not there, where files may be skipped.
    private func leaveOutMissingMasks(of files: inout PNGFileList) -> [ImportSummary.SkippedFile] {
        guard options.onError == .skip, options.masks != nil, let paths = files.maskPaths else { return [] }
        let missing = Set(paths.joined().filter { FileTree.kind(of: folder + "/" + $0) == nil })
        files.maskPaths = paths.map { $0.filter { !missing.contains($0) } }
        return missing.sorted().map { ImportSummary.SkippedFile(path: $0, reason: "there is no such mask") }
    }

    /// What the dataset says of its making; nothing in it depends on the machine.
    private func provenance(
        skipped: [ImportSummary.SkippedFile], _ files: PNGFileList, _ tally: PNGTally,
        compression: Compression, resizing: Resizing?
    ) -> JSONValue {
        var chosen: [String: JSONValue] = [
            "labels": .string(options.reading.labels.rawValue),
            "color": .string(options.reading.color.rawValue),
            "on_error": .string(options.onError.rawValue), "compress": .string(compression.rawValue),
        ]
        switch options.reading.splits {
        case .byName: break
        case .none: chosen["splits"] = .null
        case .named(let named):
            chosen["splits"] = .object(
                Dictionary(named.map { ($0.folder, .string($0.split)) }) { first, _ in first })
        }
        let list = options.reading.list
        if list != ImageListOptions() {
            func names(_ names: [String]?) -> JSONValue {
                names.map { .array($0.map { .string($0) }) } ?? .null
            }
            chosen["metadata"] = list.path.map {
                .string($0.split(separator: "/").last.map(String.init) ?? $0)
            }
            chosen["columns"] = [
                "file": names([list.fileName]), "label": names(list.label),
                "split": names(list.split.map { [$0] }), "group": names(list.group),
                "mask": names(list.maskFileName.map { [$0] }),
            ]
            chosen["split_values"] = .object(list.splitNames.mapValues { .string($0) })
        }
        if let separates = options.reading.masksAmongImages {
            chosen["masks_among_images"] = .bool(separates)
        }
        if options.reading.completesFiles { chosen["truncated"] = "complete" }
        if let depth = options.reading.depth { chosen["depth"] = .integer(depth.rawValue) }
        let background = options.reading.background
        if background != .black { chosen["background"] = .string(background.hexadecimal) }
        var provenance: [String: JSONValue] = [
            "command": .string(options.reading.files == .pngs ? "import pngs" : "import images"),
            "source": .string(folder.split(separator: "/").last.map(String.init) ?? folder),
            "options": .object(chosen),
            "skipped": .array(skipped.map(\.json)),
            "other_files": .integer(files.otherFileCount),
            "ignored_color_spaces": .integer(tally.colorSpaceCount),
        ]
        if tally.turnedCount > 0 {
            provenance["orientations"] = [
                "policy": .string(options.reading.orientation.rawValue),
                "images": .integer(tally.turnedCount),
            ]
        }
        if !tally.faults.isEmpty {
            provenance["read_over"] = .object(tally.faults.mapValues { .integer($0) })
        }
        if let resizing { provenance["resize"] = resizing.json }
        return .object(provenance)
    }
}
