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
        let inputs = try ArrayInputs(self, export: export)
        let images = inputs.images
        let arrangement = try ArrayArrangement.ofImages(
            images.shape, layout: inputs.layout, imageShape: options.shape, at: images.location)
        let count = images.shape[0]
        guard images.shape.elementCount > 0 else {
            throw DatasetError(
                .empty, path: images.location, "there are no pixels: the shape is \(images.shape)")
        }
        try images.checkSize()
        let labels = try inputs.labels.map { try ArrayLabels($0, count: count) }
        let classNames =
            if inputs.takesLabelsOfExport, let labels {
                try export?.classNames(of: labels.labels)
            } else {
                labels?.classNames
            }
        let masks = try inputs.masks.map {
            try read($0, selectedBy: inputs, images: arrangement, count: count)
        }

        let copy = ArrayImageCopy(array: images, arrangement: arrangement, jobs: max(1, options.jobs))
        let elementType = try copy.elementType()
        let keepsShape = export?.mark.imageDimensions == arrangement.imageShape.dimensions
        let channels = arrangement.imageShape.channels
        let color = (keepsShape ? export?.mark.color : nil) ?? Self.color(channels: channels)
        let compression = options.compression ?? export?.mark.compression ?? .none
        let writer = try DatasetWriter(
            path: output, force: options.force, sampleCount: count, imageShape: arrangement.imageShape,
            elementType: elementType, color: color, compression: compression)
        try copy.copy(as: elementType, to: writer) { progress($0, count) }
        let fingerprint = try writer.finish(
            ids: inputs.ids ?? (0..<count).map(String.init), labels: labels?.labels, classNames: classNames,
            splits: inputs.splits, splitNames: inputs.splitNames,
            provenance: provenance(
                inputs, arrangement: arrangement, compression: compression,
                resizing: keepsShape ? export?.mark.resizing : nil),
            groups: inputs.groups, export: compression == export?.mark.compression ? export?.mark : nil)
        if let masks, let masksFile {
            let maskSet = try MaskSet(
                bits: masks.masks.bits, rows: masks.masks.rows, maskShape: masks.masks.shape,
                datasetFingerprint: fingerprint)
            try MaskSetWriter.write(
                maskSet,
                provenanceText: (inputs.takesMasksOfExport ? export?.mark.maskProvenance(of: maskSet) : nil)
                    ?? maskProvenance(inputs, layout: masks.layout).serialized(), to: masksFile)
        }
        try writer.commit()
        try masksFile?.commit()
        return ImportSummary(
            path: output, sampleCount: count, imageShape: arrangement.imageShape, elementType: elementType,
            color: color, isLabelled: labels != nil, classNames: classNames,
            splits: inputs.splitNames.enumerated().map { number, name in
                .init(name: name, sampleCount: inputs.splits?.count { Int($0) == number } ?? 0)
            },
            fingerprint: fingerprint, skippedFiles: [], otherFileCount: 0,
            masks: masks.map {
                .init(
                    path: masksOutput ?? "", annotatedCount: $0.masks.bits.rowCount - 1,
                    meanShare: $0.masks.meanShare)
            },
            notes: inputs.notes
                + (export?.has(.masks) == true && masks == nil
                    ? ["the export holds masks; \(option: .masksOutput) imports them"] : []))
    }

    private func read(
        _ array: any ArraySource, selectedBy inputs: ArrayInputs, images: ArrayArrangement, count: Int
    ) throws -> (masks: ArrayMaskReader.Masks, layout: ArrayLayout) {
        if let export = inputs.export, inputs.takesMasksOfExport, !options.saysHowMasksAreRead {
            return (
                try export.masks(images: images, layout: options.masksLayout),
                options.masksLayout ?? export.mark.layout ?? .nchw
            )
        }
        let arrangement = try ArrayArrangement.ofMasks(
            array.shape,
            layout: options.masksLayout ?? (inputs.takesMasksOfExport ? inputs.export?.mark.layout : nil),
            images: images, at: array.location)
        let selection = try MaskSelection(
            inputs.selection, maskCount: array.shape[0], sampleCount: count,
            ids: { inputs.ids ?? (0..<count).map(String.init) }, location: array.location)
        let reader = ArrayMaskReader(
            array: array, reading: arrangement, rule: options.maskRule, marks: options.marks,
            empty: options.empty
        )
        return (try reader.read(selection, sampleCount: count), arrangement.layout)
    }

    private static func color(channels: Int) -> String {
        1...4 ~= channels ? PNGHeader.colorNames[channels - 1] : "other"
    }
}
