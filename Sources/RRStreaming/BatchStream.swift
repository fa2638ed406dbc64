public import RRDatasets
internal import RRFormats
public import RRTensor

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
    public convenience init(
        dataset: Dataset, masks: MaskSet? = nil, options: StreamOptions,
        from start: StreamPosition = .beginning,
        resources: StreamResources = StreamResources(), givesStoredImages: Bool = false
    ) throws {
        try self.init(
            dataset: dataset, masks: masks, rows: nil, options: options, from: start, resources: resources,
            givesStoredImages: givesStoredImages)
    }

    /// Opens a stream of samples that are listed, in that order, and begins to read.
    ///
    /// - Parameters:
    ///   - rows: the rows of the samples in the dataset, any number of times each, −1 for a padded one; nil for the samples
    ///     that the options choose.
    ///   - options: not shuffled where rows are listed, whose choice of samples then is of no account.
    /// - Throws: as the other initialiser, and `DatasetError` with the code `indexOutOfRange`.
    package init(
        dataset: Dataset, masks: MaskSet?, rows: [Int]?, options: StreamOptions,
        from start: StreamPosition = .beginning,
        resources: StreamResources = StreamResources(), givesStoredImages: Bool = false
    ) throws {
        try options.check()
        if let rows { try dataset.check(rows.filter { $0 != -1 }) }
        try masks?.check(for: dataset)
        let resized = try options.resizeCropOfStream.map {
            try dataset.imageShape.with(height: $0.height, width: $0.width)
        }
        try options.augmentation?.check(
            imageShape: resized ?? dataset.imageShape, color: dataset.color, hasMasks: masks != nil)
        guard options.augmentation == nil && options.resizeCrop == nil || !givesStoredImages else {
            throw DatasetError(
                .invalidOption, path: "",
                "images as they are stored cannot be augmented or resized: take them as float32")
        }
        guard !options.swapsRegions || masks != nil && !givesStoredImages else {
            throw DatasetError(
                .invalidOption, path: "",
                "what lies inside a mask is taken from another annotated sample, as floats: give \(option: .masks)"
            )
        }
        let imageShape = try options.imageShape(of: dataset.imageShape)
        split = options.split ?? dataset.split(preferring: "train")
        let order =
            try rows.map { SampleOrder(list: $0, options: options) }
            ?? SampleOrder(dataset: dataset, masks: masks, split: split, options: options)
        try start.check(epochs: options.epochs, positionCount: order.count)
        let schedule = BatchSchedule(positionCount: order.count, options: options, start: start)
        batchesPerEpoch = schedule.batchesPerEpoch
        samplesPerEpoch = schedule.samplesPerEpoch
        batchCount = schedule.batchCount
        sampleCount = schedule.sampleCount
        hasAnnotation = order.hasAnnotation
        let elementCount = imageShape.elementCount
        let extents = BatchExtents(
            count: schedule.largestBatch,
            floatsPerImage: givesStoredImages ? 0 : elementCount,
            bytesPerImage: givesStoredImages ? dataset.imageSize : 0, elementsPerMask: elementCount,
            floatsPerCounterexample: options.swapsRegions ? elementCount : 0)
        if imageShape != dataset.imageShape {
            try resources.checkRoom(for: extents, resizing: dataset.imageShape, to: imageShape)
        }
        let share = try resources.divide(batch: extents)
        // Who passes through the images once, in their order, never comes back to one.
        let isOnePass = rows == nil && !options.isShuffled && options.epochs == 1
        let cache = ImageCache(
            for: dataset, memory: isOnePass ? Swift.min(share.cache, Self.onePassMemory) : share.cache,
            readerCount: resources.threadCount)
        let donors = try masks.flatMap { masks in
            options.swapsRegions
                ? try RegionDonors(order.chosenRows, masks: masks, seed: options.seed, path: dataset.path)
                : nil
        }
        let fillers = try (0..<resources.threadCount).map { _ in
            SampleFiller(
                dataset: dataset, masks: masks, reader: try ImageReader(dataset, cache: cache),
                givesStored: givesStoredImages, options: options, imageShape: imageShape, donors: donors)
        }
        crew = try BatchCrew(
            order: order, schedule: schedule, largestBatch: extents, imageShape: imageShape,
            capacity: share.batchesAhead, fillers: fillers, path: dataset.path)
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
            if let batch = try crew.take()?.get() { return batch }
        } catch {
            isFinished = true
            throw error
        }
        isFinished = true
        return nil
    }
}

extension BatchStream {
    /// What became of waiting for a batch.
    package enum Arrival {
        case batch(Batch)
        /// There is no batch any more.
        case end
        /// The batch is still being filled.
        case tooLate
    }

    /// Waits for the next batch for a time at most, so that a caller can look after something else meanwhile.
    ///
    /// Unlike `next()` it may be called by any number of threads, each of which gets other batches.
    ///
    /// - Throws: as `next()`.
    package func next(within duration: Duration) throws -> Arrival {
        guard let result = crew.take(within: duration) else { return .tooLate }
        return try result.get().map { .batch($0) } ?? .end
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
                        let resume: BatchCrew.Waiter = { continuation.resume(with: $0) }
                        if let result = crew.take(orLater: resume) { resume(result) }
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

/// Some samples of a dataset with their masks, and where they come from.
///
/// The stream uses the memory of a batch for a later one as soon as nobody holds it any more, so that nothing is
/// allocated once a stream is under way. Who keeps a batch, or elements of it, keeps them as they are.
public struct Batch: Sendable {
    /// The number of samples, B, padded ones included.
    public var count: Int { labels.count }

    /// The shape `(C, H, W)` of one image.
    public let imageShape: ImageShape

    /// `(B, C, H, W)`: uint8 pixels over 255, uint16 pixels over 65535, float pixels as they are; empty where the
    /// stream gives images as stored.
    public let images: SharedElements<Float>

    /// `(B, C, H, W)` of the dataset's element type, little-endian; empty unless the stream gives images as stored.
    public let storedImages: SharedElements<UInt8>

    /// `(B)`: the class of each sample, −1 where the dataset has no labels.
    public let labels: SharedElements<Int64>

    /// `(B)`: the row of each sample in the dataset, −1 for a padded one, whose image and mask are zero.
    public let indices: SharedElements<Int64>

    /// `(B, C, H, W)`: 1 says "this pixel is no valid reason"; all zero for a sample without a mask.
    public let masks: SharedElements<UInt8>

    /// `(B)`: whether the sample has a mask that is not all zero.
    public let annotated: SharedElements<Bool>

    /// `(B, C, H, W)`: the images of annotated samples with their masks filled by what another annotated sample shows inside
    /// its own, its object erased; zero for other samples. Empty unless the stream swaps regions.
    package let counterexamples: SharedElements<Float>

    /// The epoch, from 0.
    public let epoch: Int

    /// The number of the batch within its epoch, from 0.
    public let step: Int

    /// Where the stream goes on after this batch.
    public let next: StreamPosition
}

/// The memory of one batch at a time.
///
/// From `isReusable()` to the delivery of the batch the crew alone has it, and each of its threads writes the places of
/// other samples; consumers only read.
struct BatchStorage: Sendable {
    private(set) var images: ElementMemory<Float>
    private(set) var storedImages: ElementMemory<UInt8>
    private(set) var labels: ElementMemory<Int64>
    private(set) var indices: ElementMemory<Int64>
    /// Zero where they were never written.
    private(set) var masks: ElementMemory<UInt8>
    private(set) var annotated: ElementMemory<Bool>
    private(set) var counterexamples: ElementMemory<Float>

    /// - Parameter largest: the extents of the largest batch.
    init(_ largest: BatchExtents) {
        let count = largest.count
        images = ElementMemory(zeroBitsOf: count * largest.floatsPerImage)
        storedImages = ElementMemory(zeroBitsOf: count * largest.bytesPerImage)
        labels = ElementMemory(zeroBitsOf: count)
        indices = ElementMemory(zeroBitsOf: count)
        masks = ElementMemory(zeroBitsOf: count * largest.elementsPerMask)
        annotated = ElementMemory(zeroBitsOf: count)
        counterexamples = ElementMemory(zeroBitsOf: count * largest.floatsPerCounterexample)
    }

    /// Tells whether another batch can be written, for which the lists that a consumer has kept are taken anew.
    ///
    /// Images and masks are not taken anew: where they are kept, or a slot has them, another storage is used.
    mutating func isReusable() -> Bool {
        guard
            isKnownUniquelyReferenced(&images), isKnownUniquelyReferenced(&storedImages),
            isKnownUniquelyReferenced(&masks), isKnownUniquelyReferenced(&counterexamples)
        else { return false }
        Self.replaceIfShared(&labels)
        Self.replaceIfShared(&indices)
        Self.replaceIfShared(&annotated)
        return true
    }

    private static func replaceIfShared<Element>(_ memory: inout ElementMemory<Element>) {
        guard !isKnownUniquelyReferenced(&memory) else { return }
        memory = ElementMemory(zeroBitsOf: memory.elements.count)
    }
}

/// The sizes of a batch's arrays.
struct BatchExtents {
    let count: Int
    let floatsPerImage: Int
    let bytesPerImage: Int
    let elementsPerMask: Int
    let floatsPerCounterexample: Int

    /// The memory of a batch; nil where it is more than a number can tell.
    var byteCount: Int? {
        let sample =
            (floatsPerImage + floatsPerCounterexample) * MemoryLayout<Float>.size + bytesPerImage
            + elementsPerMask + 17
        let (product, overflow) = sample.multipliedReportingOverflow(by: count)
        return overflow ? nil : product
    }
}
