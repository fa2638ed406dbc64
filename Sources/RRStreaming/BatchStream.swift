import Dispatch
public import RRDatasets
internal import RRTensor

/// Shuffled or sequential batches of a dataset with their index into the masks.
///
/// A thread reads ahead by a few batches. What a batch holds depends on the dataset, the masks and the options
/// alone, never on timing. One caller at a time asks for batches.
public final class BatchStream {
    /// The split that is streamed: its name, or `all`.
    public let split: String
    /// The number of batches in an epoch.
    public let batchesPerEpoch: Int
    /// The number of samples that an epoch's batches hold, without padded ones.
    public let samplesPerEpoch: Int
    /// The number of batches from the start to the end of the last epoch; the largest number there is where it would
    /// exceed that.
    public let batchCount: Int
    /// The number of samples in these batches, without padded ones; the largest number there is where it would exceed
    /// that.
    public let sampleCount: Int

    private let buffer: BatchBuffer
    private var isFinished = false

    /// The number of batches that are read ahead.
    private static let prefetchedBatches = 3

    /// Opens a stream and begins to read.
    ///
    /// - Parameters:
    ///   - masks: the masks of this dataset; nil for batches whose masks are all zero.
    ///   - start: where to begin, at no cost: `Batch.next` of the batch before.
    /// - Throws: `DatasetError` with the code `unknownSplit`; `invalidOption` where an option is out of range or
    ///   contradicts another; `valueOutOfRange` where the start lies outside of the stream; `otherDataset` or `wrongMaskSize` where the masks
    ///   were made for other images; `missingLabels` or `empty` where there are no samples of the kinds that the options
    ///   ask for; `badMetadata` where an id is unknown.
    public init(
        dataset: Dataset, masks: MaskSet? = nil, options: StreamOptions, from start: StreamPosition = .beginning
    ) throws {
        try options.check()
        try masks?.check(for: dataset)
        try options.augmentation?.check(imageShape: dataset.imageShape, hasMasks: masks != nil)
        split = options.split ?? dataset.split(preferring: "train")
        let selection = try SampleSelection(of: dataset, masks: masks, split: split, options: options)
        let order = try SampleOrder(dataset: dataset, masks: masks, selection: selection, options: options)
        try start.check(epochs: options.epochs, positionCount: order.count)
        let schedule = BatchSchedule(positionCount: order.count, options: options, start: start)
        batchesPerEpoch = schedule.batchesPerEpoch
        samplesPerEpoch = schedule.samplesPerEpoch
        batchCount = schedule.batchCount
        sampleCount = schedule.sampleCount
        buffer = BatchBuffer(capacity: Self.prefetchedBatches)
        buffer.fill(
            from: BatchReader(
                dataset: dataset, masks: masks, order: order, schedule: schedule, options: options))
    }

    deinit { buffer.cancel() }

    /// Waits for the next batch; nil after the last of the last epoch.
    ///
    /// - Throws: `DatasetError` naming the sample where its image is damaged, or `FormatError` where the file can
    ///   no longer be read; the stream is then at its end.
    public func next() throws -> Batch? {
        guard !isFinished else { return nil }
        do {
            if let batch = try buffer.take() { return batch }
        } catch {
            isFinished = true
            throw error
        }
        isFinished = true
        return nil
    }
}
