public import RRDatasets
internal import RRFormats
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
    /// The number of samples that an epoch's batches hold, without padded ones.
    public let samplesPerEpoch: Int
    /// The number of batches from the start to the end of the last epoch; the largest number there is where it would
    /// exceed that.
    public let batchCount: Int
    /// The number of samples in these batches, without padded ones; the largest number there is where it would exceed
    /// that.
    public let sampleCount: Int
    /// Whether the masks mark a pixel of any sample that the options choose.
    package let hasAnnotation: Bool

    private let crew: BatchCrew
    private var isFinished = false

    /// The bytes of images that are kept where none is read twice: some blocks for each thread.
    private static let onePassMemory = 16 << 20

    /// Opens a stream and begins to read.
    ///
    /// - Parameters:
    ///   - dataset: the dataset whose samples are streamed.
    ///   - masks: the masks of this dataset; nil for batches whose masks are all zero.
    ///   - options: which samples stand in which batch.
    ///   - start: where to begin, at no cost: `Batch.next` of the batch before.
    ///   - resources: the memory and threads that are used, without effect on what the batches hold.
    ///   - givesStoredImages: whether a batch has `storedImages` in place of `images`.
    /// - Throws: `DatasetError` with the code `unknownSplit`; `invalidOption` where an option is out of range or
    ///   contradicts another, or the memory is too small for the batches; `valueOutOfRange` where the start lies outside
    ///   of the stream; `otherDataset` or `wrongMaskSize` where the masks were made for other images; `missingLabels` or
    ///   `empty` where there are no samples of the kinds that the options ask for; `badMetadata` where an id is unknown.
    ///   `FormatError` where the file is not there any more.
    public init(
        dataset: Dataset, masks: MaskSet? = nil, options: StreamOptions,
        from start: StreamPosition = .beginning,
        resources: StreamResources = StreamResources(), givesStoredImages: Bool = false
    ) throws {
        try options.check()
        try masks?.check(for: dataset)
        try options.augmentation?.check(imageShape: dataset.imageShape, hasMasks: masks != nil)
        guard options.augmentation == nil || !givesStoredImages else {
            throw DatasetError(
                .invalidOption, path: "",
                "images as they are stored cannot be augmented: take them as float32")
        }
        split = options.split ?? dataset.split(preferring: "train")
        let order = try SampleOrder(dataset: dataset, masks: masks, split: split, options: options)
        try start.check(epochs: options.epochs, positionCount: order.count)
        let schedule = BatchSchedule(positionCount: order.count, options: options, start: start)
        batchesPerEpoch = schedule.batchesPerEpoch
        samplesPerEpoch = schedule.samplesPerEpoch
        batchCount = schedule.batchCount
        sampleCount = schedule.sampleCount
        hasAnnotation = order.hasAnnotation
        let elementCount = dataset.imageShape.elementCount
        let extents = BatchExtents(
            count: schedule.largestBatch,
            floatsPerImage: givesStoredImages ? 0 : elementCount,
            bytesPerImage: givesStoredImages ? dataset.imageSize : 0, elementsPerMask: elementCount)
        let share = try resources.divide(batch: extents)
        // Who passes through the images once, in their order, never comes back to one.
        let isOnePass = !options.isShuffled && options.epochs == 1
        let cache = ImageCache(
            for: dataset, memory: isOnePass ? Swift.min(share.cache, Self.onePassMemory) : share.cache,
            readerCount: resources.threadCount)
        let fillers = try (0..<resources.threadCount).map { _ in
            SampleFiller(
                dataset: dataset, masks: masks, reader: try ImageReader(dataset, cache: cache),
                givesStored: givesStoredImages, options: options)
        }
        crew = BatchCrew(
            order: order, schedule: schedule, largestBatch: extents, imageShape: dataset.imageShape,
            capacity: share.batchesAhead, fillers: fillers)
    }

    deinit { crew.cancel() }

    /// Stops the threads at once; the stream is then at its end.
    public func cancel() { crew.cancel() }

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

extension BatchStream: AsyncSequence {
    public typealias Element = Batch

    /// The asynchronous loop over a stream, whose threads stop where the task is cancelled.
    public struct AsyncIterator: AsyncIteratorProtocol {
        private let stream: BatchStream

        init(_ stream: BatchStream) { self.stream = stream }

        /// Waits for the next batch without blocking a thread; nil after the last of the last epoch.
        ///
        /// - Throws: as `BatchStream.next()`, and `CancellationError` where the task is cancelled.
        public mutating func next() async throws -> Batch? {
            let crew = stream.crew
            guard !stream.isFinished else { return nil }
            do {
                try Task.checkCancellation()
                let batch = try await withTaskCancellationHandler {
                    try await withCheckedThrowingContinuation { continuation in
                        crew.take { continuation.resume(with: $0) }
                    }
                } onCancel: {
                    crew.cancel()
                }
                // A cancelled crew is at its end.
                if batch == nil { try Task.checkCancellation() }
                stream.isFinished = batch == nil
                return batch
            } catch {
                crew.cancel()
                stream.isFinished = true
                throw error
            }
        }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(self) }
}
