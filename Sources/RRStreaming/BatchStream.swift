public import RRDatasets
internal import RRTensor

/// Shuffled or sequential batches of a dataset with their index into the masks.
///
/// Threads read ahead by a few batches. What a batch holds depends on the dataset, the masks and the options alone,
/// never on timing or the number of threads. One caller at a time asks for batches: a loop over `next()`, which blocks
/// its thread, or an asynchronous loop over the stream.
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

    let crew: BatchCrew
    var isFinished = false

    /// Opens a stream and begins to read.
    ///
    /// - Parameters:
    ///   - masks: the masks of this dataset; nil for batches whose masks are all zero.
    ///   - resources: the memory and threads that are used, without effect on what the batches hold.
    ///   - givesStoredImages: whether a batch has `storedImages` in place of `images`.
    /// - Throws: `DatasetError` with the code `unknownSplit`, `invalidOption` where an option is out of range or the
    ///   memory is too small for the batches, or `otherDataset` or `wrongMaskSize` where the masks were made for other
    ///   images; `FormatError` where the file is not there any more.
    public init(
        dataset: Dataset, masks: MaskSet? = nil, options: StreamOptions,
        resources: StreamResources = StreamResources(), givesStoredImages: Bool = false
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
        batchCount = Self.product(batchesPerEpoch, options.epochs)
        sampleCount = Self.product(samplesPerEpoch, options.epochs)
        let elementCount = dataset.imageShape.elementCount
        let extents = BatchExtents(
            count: Swift.min(options.batchSize, Swift.max(1, samplesPerEpoch)),
            floatsPerImage: givesStoredImages ? 0 : elementCount,
            bytesPerImage: givesStoredImages ? dataset.imageSize : 0, elementsPerMask: elementCount)
        let share = try resources.divide(batch: extents)
        let cache = ImageCache(for: dataset, memory: share.cache, readerCount: resources.threadCount)
        let fillers = try (0..<resources.threadCount).map { _ in
            try SampleFiller(dataset: dataset, masks: masks, cache: cache, givesStored: givesStoredImages)
        }
        crew = BatchCrew(
            plan: BatchPlan(order: order, batchCount: batchCount, largestBatch: extents),
            imageShape: dataset.imageShape, capacity: share.batchesAhead)
        crew.start(fillers)
    }

    deinit { crew.cancel() }

    /// Stops the threads at once; the stream is then at its end.
    public func cancel() { crew.cancel() }

    private static func product(_ count: Int, _ epochs: Int) -> Int {
        let (product, overflow) = count.multipliedReportingOverflow(by: epochs)
        return overflow ? .max : product
    }

    /// Waits for the next batch; nil after the last of the last epoch.
    ///
    /// - Throws: `DatasetError` with the code `checksumMismatch` where an image is damaged, or `StreamError` where the
    ///   file can no longer be read or was written to; both name the sample. The stream is then at its end.
    public func next() throws -> Batch? {
        guard !isFinished else { return nil }
        do {
            if let batch = try crew.take() { return batch }
        } catch {
            isFinished = true
            throw error
        }
        isFinished = true
        return nil
    }
}
