internal import Glibc
internal import RRFormats
internal import RRSchemas
internal import RRTensor

/// Makes a mask set for a dataset of masks in whatever form they come.
///
/// The source is a folder of PNG files, a COCO annotation file, a table of boxes, or arrays in an HDF5, NPY or NPZ
/// file; it is told by its content.
public struct MaskImport: Sendable {
    /// What a mask that was supplied and has no 1 says.
    public enum EmptyMasks: String, Sendable, CaseIterable {
        /// Nothing: its sample is unannotated.
        case unannotated
        /// "No pixel is marked": its sample has a row in the mask set.
        case annotated
    }

    public struct Options: Sendable {
        public var marks: ArrayImport.Marks = .wrong
        public var empty: EmptyMasks = .unannotated
        /// How a PNG file's name is made of an id; nil for the id alone.
        public var match: String?
        /// The palette indices or gray values of PNG files that count as 1; nil for 1 and the largest.
        public var maskValues: [Int]?
        /// The share of the largest gray value from which a pixel of a PNG file counts as 1.
        public var maskThreshold: Double?
        /// The names or ids of the COCO categories that are taken; empty for all.
        public var categories: [String] = []
        /// The smallest area of a COCO annotation that is taken, in pixels.
        public var minimumArea: Double?
        /// The largest area of a COCO annotation that is taken, in pixels.
        public var maximumArea: Double?
        /// The number of threads that decode; it has no effect on the result.
        public var jobs: Int = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        /// Whether an existing output is replaced.
        public var force: Bool = false

        public init() {}
    }

    public let source: String
    /// The file of the dataset that the masks are for.
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
        let kind = try MaskSourceKind(ofSource: source)
        try checkOptions(for: kind)
        let dataset = try Dataset(path: dataset)
        let file = try AtomicOutput(path: output, force: options.force)
        let masks = try open(kind, for: dataset)
        let collector = try Self.collect(masks, for: dataset, options: options, progress: progress)
        let (annotatedCount, emptyCount) = (collector.annotatedCount, collector.emptyCount)
        let meanShare = collector.meanShare
        try MaskSetWriter.write(
            collector.finish(datasetFingerprint: dataset.fingerprint), provenance: provenance(kind), to: file)
        try file.commit()
        return MaskImportSummary(
            path: output, source: kind, sampleCount: dataset.sampleCount, maskShape: masks.maskShape,
            marks: options.marks, suppliedCount: masks.samples.count, annotatedCount: annotatedCount,
            emptyCount: emptyCount, meanShare: meanShare, tally: masks.tally)
    }

    private func open(_ kind: MaskSourceKind, for dataset: Dataset) throws -> any MaskSource {
        let names = try SampleNames(ids: dataset.ids())
        switch kind {
        case .pngs:
            return try PNGMaskFolder(folder: source, names: names, dataset: dataset, options: options)
        case .coco:
            return try COCOMasks(path: source, names: names, dataset: dataset, options: options)
        case .boxes:
            return try BoxMasks(path: source, names: names, dataset: dataset)
        }
    }

    /// Reads the masks on several threads and keeps them in the order of the samples.
    static func collect(
        _ source: any MaskSource, for dataset: Dataset, options: Options, progress: (Int, Int) -> Void
    ) throws -> MaskCollector {
        let size = source.maskShape.elementCount
        var collector = try MaskCollector(
            capacity: source.samples.count, sampleCount: dataset.sampleCount, maskShape: source.maskShape,
            marks: options.marks, empty: options.empty)
        let block = MaskBlock(maskSize: size, jobs: options.jobs)
        var first = 0
        while first < source.samples.count {
            let positions = first..<min(first + block.capacity, source.samples.count)
            try block.read(positions, of: source)
            for position in positions {
                collector.add(block[position - first], for: source.samples[position])
            }
            first = positions.upperBound
            progress(first, source.samples.count)
        }
        return collector
    }
}
