internal import RRDatasets
internal import RRFormats
internal import RRSchemas
internal import RRTensor
internal import Synchronization

/// Where the masks of an import come from.
protocol MaskSource: Sendable {
    /// The shape `(C, H, W)` of every mask; C is 1 or the number of the images' channels.
    var maskShape: ImageShape { get }

    /// The samples that have a mask, ascending, each once.
    var samples: [Int] { get }

    /// What was met while the source was opened and read.
    var tally: MaskTally { get }

    /// Writes the mask of `samples[position]` as bytes that are 0 or 1.
    ///
    /// Any number of threads may call at once.
    ///
    /// - Parameter mask: `maskShape.elementCount` bytes to fill; what they hold before is undefined.
    /// - Throws: `DatasetError` or `FormatError` that names the mask and what is wrong with it.
    func readMask(at position: Int, into mask: UnsafeMutableBufferPointer<UInt8>) throws

    /// A file as a report names it, nothing of the machine in it.
    ///
    /// - Parameter path: the file that an error of `readMask` names.
    func file(at path: String) -> String
}

extension MaskSource {
    func file(at path: String) -> String { path }
}

/// A mask set of what was read from a source, and what was met there.
struct ImportedMasks {
    /// A row for each annotated sample, and a last one of zeros.
    let maskSet: MaskSet
    /// The number of samples for which the source has a mask.
    let suppliedCount: Int
    /// The number of supplied masks without a 1, or without one once they are inverted.
    let emptyCount: Int
    /// The mean share of an annotated sample's elements that are 1; 0 where none is annotated.
    let meanShare: Double
    var tally: MaskTally
    /// Files that could not be decoded, in the order of the samples.
    var skippedFiles: [ImportSummary.SkippedFile] = []

    /// The number of samples that have a row in the mask set.
    var annotatedCount: Int { maskSet.bits.rowCount - 1 }
}

extension ImportedMasks {
    /// Reads the masks of a source on several threads and keeps them in the order of the samples.
    ///
    /// - Throws: what the source throws.
    init(
        _ source: any MaskSource, for dataset: Dataset, options: MaskImport.Options,
        progress: (Int, Int) -> Void
    ) throws {
        let total = source.samples.count
        let builder = try MaskSetBuilder(
            maskShape: source.maskShape, sampleCount: dataset.sampleCount, capacity: total,
            marks: options.marks, empty: options.emptyMasks)
        let block = MaskBlock(
            maskShape: source.maskShape, adjustment: options.adjustment, threadCount: options.threadCount)
        var first = 0
        while first < total {
            let positions = first..<min(first + block.capacity, total)
            let faults = try block.read(positions, of: source, skipsFaults: options.onError == .skip)
            for position in positions {
                if let fault = faults[position] {
                    skippedFiles.append(fault)
                    continue
                }
                try builder.add(block[position - first], for: source.samples[position])
            }
            first = positions.upperBound
            progress(first, total)
        }
        guard skippedFiles.isEmpty || skippedFiles.count < total else {
            throw DatasetError(
                .empty, path: dataset.path,
                "none of the \(total) mask files can be decoded: \(skippedFiles[0].path)")
        }
        (emptyCount, meanShare) = (builder.emptyCount, builder.meanShare)
        let (bits, rows) = try builder.finish()
        maskSet = try MaskSet(
            bits: bits, rows: rows, maskShape: source.maskShape, datasetFingerprint: dataset.fingerprint)
        suppliedCount = total - skippedFiles.count
        var tally = source.tally
        if let note = try MaskPlacement(dataset).note { tally.readings.append(note) }
        self.tally = tally
    }
}

extension ImportedMasks {
    /// Reads masks from an array in an HDF5, NPY, NPZ or IDX file, for the samples that another array names or for all
    /// of them in order.
    ///
    /// - Throws: `FormatError` where a file or an array is missing, damaged or not served; `DatasetError` with the
    ///   code `wrongShape`, `wrongMaskSize`, `wrongType`, `ambiguousLayout`, `invalidOption`, `nonBinaryMask`,
    ///   `indexOutOfRange` or `duplicateId`.
    init(arraysIn path: String, for dataset: Dataset, options: MaskImport.Options) throws {
        let file = try ArrayFile(path: path)
        /// An array of the same file, or where a file is one array another file.
        func array(_ name: String) throws -> any ArraySource {
            if file.format == .hdf5 || file.format == .npz { return try file.array(name) }
            return try ArrayFile(path: name).array(nil)
        }
        let masks = try file.array(options.masks)
        let imageLayout = try dataset.layoutOfImport()
        let reading = try MaskArrayReading(
            masks, layout: options.masksLayout, imageLayout: imageLayout,
            images: ArrayArrangement(imageShape: dataset.imageShape, readAs: imageLayout),
            count: dataset.sampleCount)
        try masks.checkSize()
        let basis: MaskedSamples.Basis =
            if let rows = options.rows {
                .rows(try array(rows))
            } else if let ids = options.ids {
                .ids(try array(ids))
            } else if let flags = options.flags {
                .flags(try array(flags))
            } else {
                .order
            }
        let samples = try MaskedSamples(
            basis, maskCount: reading.array.shape[0], sampleCount: dataset.sampleCount, ids: dataset.ids,
            location: masks.location)
        let result = try ArrayMaskReader(
            array: reading.array, reading: reading.arrangement, rule: options.maskRule, marks: options.marks,
            empty: options.emptyMasks, adjustment: options.adjustment
        ).read(samples, sampleCount: dataset.sampleCount)
        maskSet = try MaskSet(
            bits: result.bits, rows: result.rows, maskShape: result.shape,
            datasetFingerprint: dataset.fingerprint)
        meanShare = result.meanShare
        suppliedCount = samples.ofRows.count { $0 != nil }
        emptyCount = result.emptyCount
        tally = MaskTally(readings: [reading.note].compactMap(\.self))
    }
}

extension Dataset {
    /// The layout of the array that the images were imported from; nil where they were no array.
    fileprivate func layoutOfImport() throws -> ArrayLayout? {
        guard let text = try provenanceText(), let provenance = try? JSONValue(parsing: text) else {
            return nil
        }
        return (provenance["options"]?["layout"]?.stringValue).flatMap(ArrayLayout.init(rawValue:))
    }
}

/// Memory for some masks, which several threads fill at once.
///
/// Unchecked: `read` is called by one thread, and within it each mask is written by the one thread that has taken it.
private final class MaskBlock: @unchecked Sendable {
    /// The number of masks in the block.
    let capacity: Int

    private let maskSize: Int
    private let maskShape: ImageShape
    private let adjustment: MaskAdjustment
    private let threadCount: Int
    private let bytes: UnsafeMutableBufferPointer<UInt8>

    /// Allocates masks of about 16 MB, and enough of them to keep every thread busy.
    init(maskShape: ImageShape, adjustment: MaskAdjustment, threadCount: Int) {
        self.maskShape = maskShape
        self.adjustment = adjustment
        maskSize = maskShape.elementCount
        self.threadCount = max(1, threadCount)
        capacity = max(min(1024, (16 << 20) / max(1, maskSize)), self.threadCount)
        bytes = .allocate(capacity: capacity * maskSize)
    }

    deinit { bytes.deallocate() }

    subscript(position: Int) -> UnsafeMutableBufferPointer<UInt8> {
        UnsafeMutableBufferPointer(rebasing: bytes[position * maskSize..<(position + 1) * maskSize])
    }

    /// Reads masks of a source, the first to the first place of the block, and lets them grow or shrink.
    ///
    /// - Parameter skipsFaults: whether files that cannot be decoded are no errors.
    /// - Returns: those files, by the positions of their masks.
    /// - Throws: the error of the first mask that has one, whatever the number of threads.
    func read(
        _ positions: Range<Int>, of source: any MaskSource, skipsFaults: Bool
    ) throws -> [Int: ImportSummary.SkippedFile] {
        let faults = Mutex<[Int: ImportSummary.SkippedFile]>([:])
        try Workers(count: threadCount).run(parts: positions, makeState: {}) { _, position in
            let mask = self[position - positions.lowerBound]
            do {
                try source.readMask(at: position, into: mask)
            } catch let error as DatasetError where skipsFaults && error.code == .unreadableImage {
                let fault = ImportSummary.SkippedFile(
                    path: source.file(at: error.path), reason: "the mask: \(error.message)")
                faults.withLock { $0[position] = fault }
                return
            }
            adjustment.resize(mask, height: maskShape.height, width: maskShape.width)
        }
        return faults.withLock { $0 }
    }
}
