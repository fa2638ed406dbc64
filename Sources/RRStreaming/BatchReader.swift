internal import RRDatasets
internal import RRTensor

/// Fills batches: the part of a stream that runs ahead of its consumer, on a thread of its own.
///
/// Its memory is a pool of storages. One that only the pool still holds is filled again.
struct BatchReader {
    private let dataset: Dataset
    private let masks: MaskSet?
    private let order: SampleOrder
    private let schedule: BatchSchedule
    private let options: StreamOptions
    private var pool: [BatchStorage] = []
    private var number = 0

    /// As many storages as a stream and its consumer use at once; a consumer that keeps more has them for good.
    private static let largestPool = 8

    init(
        dataset: Dataset, masks: MaskSet?, order: SampleOrder, schedule: BatchSchedule, options: StreamOptions
    ) {
        self.dataset = dataset
        self.masks = masks
        self.order = order
        self.schedule = schedule
        self.options = options
    }

    /// Reads the next batch; nil after the last.
    mutating func next() throws -> Batch? {
        guard number < schedule.batchCount else { return nil }
        let scheduled = schedule[number]
        number += 1
        let elementCount = dataset.imageShape.elementCount
        let storage = freeStorage()
        storage.resize(count: scheduled.count, elementCount: elementCount)
        storage.fillRows { order.fill($0, of: scheduled) }
        for position in 0..<scheduled.count {
            let index = Int(storage.indices[position])
            guard index >= 0 else {
                storage.setPadding(position, elementCount: elementCount)
                continue
            }
            storage.setLabel(position, dataset.labels?[index])
            try storage.fillImage(position, elementCount: elementCount) {
                try dataset.readImage(at: index, into: $0)
            }
            if let masks {
                storage.fillMask(position, elementCount: elementCount) {
                    masks.expandMask(ofSample: index, channels: dataset.imageShape.channels, into: $0)
                }
            }
            if let augmentation = options.augmentation {
                storage.changeSample(position, elementCount: elementCount) { image, mask in
                    augmentation.apply(
                        seed: options.seed, epoch: scheduled.epoch, index: index, shape: dataset.imageShape,
                        image: image, mask: masks == nil ? nil : mask, isUnit: dataset.elementType != .float32)
                }
            }
        }
        return Batch(
            storage: storage, imageShape: dataset.imageShape, epoch: scheduled.epoch, step: scheduled.step,
            next: scheduled.next)
    }

    private mutating func freeStorage() -> BatchStorage {
        for index in pool.indices where isKnownUniquelyReferenced(&pool[index]) { return pool[index] }
        let fresh = BatchStorage()
        if pool.count < Self.largestPool { pool.append(fresh) }
        return fresh
    }
}
