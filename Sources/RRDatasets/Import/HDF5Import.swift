internal import RRFormats
internal import RRSchemas
internal import RRTensor

/// Makes a dataset, and a mask set where there are masks, of arrays in any HDF5 file.
public struct HDF5Import: Sendable {
    /// What a 1 in the source's masks says.
    public enum Marks: String, Sendable, CaseIterable {
        /// "This pixel is no valid reason", as in a mask set.
        case wrong
        /// "This pixel is a valid reason": masks are inverted.
        case right
    }

    public struct Options: Sendable {
        /// The array of images: `/images`.
        public var images: String
        /// The array of labels, (N) or (N, 1); nil for none.
        public var labels: String?
        /// The array of masks, N of them; nil for none.
        public var masks: String?
        /// How the array of images is laid out; nil where its shape says so.
        public var layout: ArrayLayout?
        /// How the array of masks is laid out; nil where its shape says so.
        public var masksLayout: ArrayLayout?
        public var marks: Marks = .wrong
        public var compression: Compression = .none
        /// Whether existing outputs are replaced.
        public var force: Bool = false

        public init(images: String) {
            self.images = images
        }
    }

    public let source: String
    public let output: String
    /// Where the mask set goes; nil exactly where `options.masks` is.
    public let masksOutput: String?
    public let options: Options

    public init(source: String, output: String, masksOutput: String? = nil, options: Options) {
        self.source = source
        self.output = output
        self.masksOutput = masksOutput
        self.options = options
    }

    /// Imports; the same file and options make the same bytes.
    ///
    /// Images are read block by block. Integers are stored as uint8 where all fit 0…255, else as uint16 where
    /// all fit 0…65,535; an array of uint16 stays one. Floating-point numbers are stored as float32. Ids are row
    /// numbers. A mask that is all zero leaves its sample unannotated.
    ///
    /// - Parameter progress: called with the number of images done and the number of all.
    /// - Throws: `FormatError` where the file or an array is missing, damaged or not served, or an output
    ///   exists or cannot be written; `DatasetError` with the code `invalidOption`, `ambiguousLayout`,
    ///   `wrongShape`, `wrongType`, `empty`, `valueOutOfRange` (a pixel), `labelOutOfRange`, `wrongMaskSize` or
    ///   `nonBinaryMask`, with the row and value.
    public func run(progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }) throws -> ImportSummary {
        try checkOptions()
        // Before the work: where an output cannot be written, no import is lost.
        try AtomicOutput.checkTarget(output, force: options.force)
        let masksFile = try masksOutput.map { try AtomicOutput(path: $0, force: options.force) }
        let file = try HDF5File(reading: source)
        let images = try file.dataset(options.images)
        let reading = try ArrayReading.ofImages(images.shape, layout: options.layout, at: images.location)
        let count = images.shape[0]
        guard images.shape.elementCount > 0 else {
            throw DatasetError(
                .empty, path: images.location, "there are no pixels: the shape is \(images.shape)")
        }
        let labels = try options.labels.map { try readLabels(file.dataset($0), count: count) }
        let masks = try options.masks.map { path in
            try HDF5MaskReader(
                dataset: file.dataset(path), layout: options.masksLayout, marks: options.marks,
                images: reading,
                count: count
            ).read()
        }

        let imageReader = HDF5ImageReader(dataset: images, reading: reading)
        let elementType = try imageReader.elementType()
        let color = Self.color(channels: reading.imageShape.channels)
        let writer = try DatasetWriter(
            path: output, force: options.force, sampleCount: count, imageShape: reading.imageShape,
            elementType: elementType, color: color, compression: options.compression)
        try imageReader.copy(as: elementType, to: writer) { progress($0, count) }
        let fingerprint = try writer.finish(
            ids: (0..<count).map(String.init), labels: labels, classNames: nil, splits: nil, splitNames: [],
            provenance: provenance(reading: reading))
        if let masks, let masksFile, let path = options.masks {
            try MaskSetWriter.write(
                MaskSet(
                    bits: masks.bits, rows: masks.rows, maskShape: masks.shape,
                    datasetFingerprint: fingerprint),
                provenance: provenance(masks: path, reading: masks.reading), to: masksFile)
        }
        try writer.commit()
        try masksFile?.commit()
        return ImportSummary(
            path: output, sampleCount: count, imageShape: reading.imageShape, elementType: elementType,
            color: color, isLabelled: labels != nil, classNames: nil, splits: [], fingerprint: fingerprint,
            skippedFiles: [], otherFileCount: 0,
            masks: masks.map {
                .init(path: masksOutput ?? "", annotatedCount: $0.bits.rowCount - 1, meanShare: $0.meanShare)
            })
    }
}

extension HDF5Import {
    private func checkOptions() throws(DatasetError) {
        guard (options.masks == nil) == (masksOutput == nil) else {
            throw DatasetError(
                .invalidOption, path: "", "--masks and --masks-output are given together or not at all")
        }
        guard options.masks != nil || (options.masksLayout == nil && options.marks == .wrong) else {
            throw DatasetError(.invalidOption, path: "", "--masks-layout and --marks need --masks")
        }
        guard masksOutput == nil || masksOutput != output else {
            throw DatasetError(
                .invalidOption, path: output, "the dataset and the masks cannot be the same file")
        }
    }

    private func readLabels(_ dataset: HDF5Dataset, count: Int) throws -> [Int] {
        let dimensions = dataset.shape.dimensions
        guard dimensions == [count] || dimensions == [count, 1] else {
            throw DatasetError(
                .wrongShape, path: dataset.location,
                "the shape is \(dataset.shape), but there are \(count) images: (\(count)) or (\(count), 1) is needed"
            )
        }
        guard dataset.elementType.isInteger else {
            throw DatasetError(
                .wrongType, path: dataset.location,
                "the labels are of the type \(dataset.elementType); integers are needed, one number a class")
        }
        let labels = try dataset.readAll(as: Int64.self)
        let served = 0...Int64(DatasetReader.largestBareLabel)
        if let row = labels.firstIndex(where: { !(served ~= $0) }) {
            throw DatasetError(
                .labelOutOfRange, path: dataset.location,
                "row \(row) has the label \(labels[row]); labels are 0 to \(DatasetReader.largestBareLabel)")
        }
        return labels.map { Int($0) }
    }

    private static func color(channels: Int) -> String {
        1...4 ~= channels ? PNGHeader.colorNames[channels - 1] : "other"
    }

    /// What the dataset says of its making; nothing in it depends on the machine.
    private func provenance(reading: ArrayReading) -> JSONValue {
        [
            "command": "import hdf5",
            "source": .string(sourceName),
            "options": [
                "images": .string(options.images),
                "labels": options.labels.map { .string($0) } ?? .null,
                "layout": .string(reading.layout.rawValue),
                "compress": .string(options.compression.rawValue),
            ],
        ]
    }

    private func provenance(masks: String, reading: ArrayReading) -> JSONValue {
        [
            "command": "import hdf5",
            "source": .string(sourceName),
            "options": [
                "masks": .string(masks),
                "masks_layout": .string(reading.layout.rawValue),
                "marks": .string(options.marks.rawValue),
            ],
        ]
    }

    private var sourceName: String {
        source.split(separator: "/").last.map(String.init) ?? source
    }
}
