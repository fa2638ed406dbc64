internal import RRDatasets
internal import RRFormats
internal import RRSchemas
internal import RRTensor

/// Makes a dataset, and a mask set where there are masks, of arrays in HDF5, NPY, NPZ or IDX files.
public struct ArrayImport: Sendable {
    /// The kind of files that arrays are read from.
    public enum Format: String, Sendable, CaseIterable {
        case hdf5, npy, npz, idx
    }

    public let format: Format
    /// The files that hold the arrays; empty for NPY and IDX, where each array is a file.
    public let files: [String]
    public let output: String
    /// Where the mask set goes; nil exactly where `options.masks` is empty, but for an export, which has its own.
    public let masksOutput: String?
    public let options: Options

    public init(
        format: Format, files: [String] = [], output: String, masksOutput: String? = nil, options: Options
    ) {
        self.format = format
        self.files = files
        self.output = output
        self.masksOutput = masksOutput
        self.options = options
    }

    /// Imports; the same files and options make the same bytes.
    ///
    /// Images are read block by block. Integers are stored as uint8 where all fit 0…255, else as uint16 where
    /// all fit 0…65,535; an array of uint16 stays one. Floating-point numbers are stored as float32. Ids are row
    /// numbers. Several arrays of images are one after another, and so are those of labels and of masks.
    ///
    /// Of an export of ours the images, labels, ids, splits and masks are taken that no option names otherwise, and
    /// with all of them the bytes of the files that were exported.
    ///
    /// - Parameter progress: called with the number of images done and the number of all.
    /// - Throws: `FormatError` where a file or an array is missing, damaged or not served, or an output
    ///   exists or cannot be written; `DatasetError` with the code `invalidOption`, `ambiguousLayout`,
    ///   `wrongShape`, `wrongType`, `empty`, `valueOutOfRange` (a pixel), `labelOutOfRange`, `groupOutOfRange`, `severalLabels`,
    ///   `wrongMaskSize`, `nonBinaryMask`, `indexOutOfRange` or `duplicateId`, with the row and value;
    ///   of an export also `missingObject`, `splitOutOfRange`, `rowOutOfRange` or `unsupportedVersion`.
    public func run(progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }) throws -> ImportSummary {
        let export = try ExportedArrays.find(for: self)
        try checkOptions(export)
        // Before the work: where an output cannot be written, no import is lost.
        try AtomicOutput.checkTarget(output, force: options.force)
        let masksFile = try masksOutput.map { try AtomicOutput(path: $0, force: options.force) }
        let content = try ArrayContent(of: self, ArrayInputs(self, export: export))
        let copy = ArrayImageCopy(
            array: content.inputs.images, arrangement: content.arrangement,
            threadCount: max(1, options.threadCount))
        let elementType = try copy.elementType()
        let writer = try DatasetWriter(
            path: output, force: options.force, sampleCount: content.count,
            imageShape: content.arrangement.imageShape, elementType: elementType, color: content.color,
            compression: content.compression)
        try copy.copy(as: elementType, to: writer) { progress($0, content.count) }
        let fingerprint = try finish(writer, content)
        if let masks = content.masks, let masksFile {
            try write(masks, of: content, fingerprint: fingerprint, to: masksFile)
        }
        try writer.output.commit(before: masksFile)
        return summary(of: content, copy, elementType, fingerprint: fingerprint)
    }

    /// Writes what belongs to the samples beside their pixels.
    ///
    /// - Returns: the fingerprint.
    private func finish(_ writer: DatasetWriter, _ content: ArrayContent) throws -> String {
        let inputs = content.inputs
        let table = SampleTable(
            labels: content.labels, classNames: content.classNames, splits: inputs.splits,
            splitNames: inputs.splitNames, groups: inputs.groups)
        return try writer.complete(table, id: content.id) { fingerprint in
            let origin = content.mark?.origin(
                of: table, fingerprint: fingerprint, channels: content.arrangement.imageShape.channels)
            if let origin, content.compression == content.mark?.compression { return origin }
            return .init(
                provenance: provenance(content).serialized(), sourceSizes: origin?.sourceSizes)
        }
    }

    private func write(
        _ masks: ArrayContent.Masks, of content: ArrayContent, fingerprint: String, to file: AtomicOutput
    ) throws {
        let maskSet = try MaskSet(
            bits: masks.masks.bits, rows: masks.masks.rows, maskShape: masks.masks.shape,
            datasetFingerprint: fingerprint)
        let restored =
            content.inputs.takesMasksOfExport ? content.mark?.maskProvenance(of: maskSet) : nil
        try MaskSetWriter.write(
            maskSet,
            provenanceText: restored ?? maskProvenance(content.inputs, layout: masks.layout).serialized(),
            to: file)
    }

    private func summary(
        of content: ArrayContent, _ copy: ArrayImageCopy, _ elementType: ImageElementType, fingerprint: String
    ) -> ImportSummary {
        let inputs = content.inputs
        var notes = inputs.notes + [content.masks?.note, content.colorRemark].compactMap(\.self)
        // An export gives back what was there.
        if inputs.export == nil {
            notes += LabelRemarks.notes(labels: content.labels, classNames: content.classNames)
            if format == .idx, options.layout == nil, content.arrangement.isSquare,
                options.images.contains(where: { $0.lowercased().contains("emnist") })
            {
                notes.append(
                    "EMNIST's files have columns before rows, so that letters lie on their side; \(option: .layout) NWH "
                        + "turns them upright")
            }
            if copy.isBinary { notes.append(ImportSummary.remarkOnBinary) }
            if let largest = copy.largestMagnitude, largest > ImportSummary.largestUnremarked {
                notes.append(ImportSummary.remark(onMagnitude: largest))
            }
        }
        if inputs.export?.has(.masks) == true, content.masks == nil {
            notes.append("the export holds masks; \(option: .masksOutput) imports them")
        }
        return ImportSummary(
            path: output, sampleCount: content.count, imageShape: content.arrangement.imageShape,
            elementType: elementType, color: content.color, isLabelled: content.labels != nil,
            classNames: content.classNames,
            splits: inputs.splitNames.enumerated().map { number, name in
                .init(name: name, sampleCount: inputs.splits?.count { Int($0) == number } ?? 0)
            },
            fingerprint: fingerprint, skippedFiles: [], otherFileCount: 0,
            masks: content.masks.map { masks in
                .init(
                    path: masksOutput ?? "", annotatedCount: masks.masks.bits.rowCount - 1,
                    meanShare: masks.masks.meanShare, marks: options.marks)
            },
            untakenArrays: inputs.untaken, notes: notes)
    }
}
