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
    /// The number of samples that an epoch's batches hold.
    public let samplesPerEpoch: Int
    /// The number of batches of all epochs; the largest number there is where it would exceed that.
    public let batchCount: Int
    /// The number of samples in the batches of all epochs; the largest number there is where it would exceed that.
    public let sampleCount: Int

    private let buffer: BatchBuffer
    private var isFinished = false

    /// The number of batches that are read ahead.
    private static let prefetchedBatches = 3

    /// Opens a stream and begins to read.
    ///
    /// - Parameters:
    ///   - masks: the masks of this dataset; nil for batches whose masks are all zero.
    ///   - epoch: the epoch of the first batch.
    ///   - step: the number of the first batch within that epoch, at most `batchesPerEpoch`.
    /// - Throws: `DatasetError` with the code `unknownSplit`, `invalidOption` where an option is out of range, or
    ///   `otherDataset` or `wrongMaskSize` where the masks were made for other images.
    public init(
        dataset: Dataset, masks: MaskSet? = nil, options: StreamOptions, epoch: Int = 0, step: Int = 0
    ) throws {
        guard options.batchSize >= 1 else {
            throw DatasetError(
                .invalidOption, path: "", "the batch size is \(options.batchSize), but must be at least 1")
        }
        guard options.epochs >= 1 else {
            throw DatasetError(
                .invalidOption, path: "", "the number of epochs is \(options.epochs), but must be at least 1")
        }
        try masks?.check(for: dataset)
        split = options.split ?? dataset.split(preferring: "train")
        let order = SampleOrder(samples: try dataset.indices(inSplit: split), options: options)
        batchesPerEpoch = order.batchesPerEpoch
        samplesPerEpoch = order.samplesPerEpoch
        guard 0..<options.epochs ~= epoch, 0...batchesPerEpoch ~= step else {
            throw DatasetError(
                .invalidOption, path: "",
                "the stream has no batch \(step) in epoch \(epoch): it has \(options.epochs) epochs of "
                    + "\(batchesPerEpoch) batches")
        }
        batchCount = Self.product(batchesPerEpoch, options.epochs)
        sampleCount = Self.product(samplesPerEpoch, options.epochs)
        buffer = BatchBuffer(capacity: Self.prefetchedBatches)
        buffer.fill(
            from: BatchReader(
                dataset: dataset, masks: masks, order: order, epochs: options.epochs, epoch: epoch, step: step
            ))
    }

    deinit { buffer.cancel() }

    private static func product(_ count: Int, _ epochs: Int) -> Int {
        let (product, overflow) = count.multipliedReportingOverflow(by: epochs)
        return overflow ? .max : product
    }

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
