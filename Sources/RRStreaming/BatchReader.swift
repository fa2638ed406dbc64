internal import RRDatasets
internal import RRTensor

/// Fills batches: the part of a stream that runs ahead of its consumer, on a thread of its own.
///
/// Its memory is a pool of storages. One that only the pool still holds is filled again.
struct BatchReader {
    private let dataset: Dataset
    private let masks: MaskSet?
    private let order: SampleOrder
    private let epochs: Int
    private var pool: [BatchStorage] = []
    private var epoch = 0
    private var step = 0
    private var permutation: KeyedPermutation?

    /// As many storages as a stream and its consumer use at once; a consumer that keeps more has them for good.
    private static let largestPool = 8

    init(
        dataset: Dataset, masks: MaskSet?, order: SampleOrder, epochs: Int, epoch: Int = 0, step: Int = 0
    ) {
        self.dataset = dataset
        self.masks = masks
        self.order = order
        self.epochs = epochs
        self.epoch = epoch
        self.step = step
        permutation = order.permutation(epoch: epoch)
    }

    /// Reads the next batch; nil after the last.
    mutating func next() throws -> Batch? {
        guard order.batchesPerEpoch > 0 else { return nil }
        if step == order.batchesPerEpoch {
            epoch += 1
            step = 0
            permutation = order.permutation(epoch: epoch)
        }
        guard epoch < epochs else { return nil }
        let positions = order.positions(ofBatch: step)
        let elementCount = dataset.imageShape.elementCount
        let storage = freeStorage()
        storage.resize(count: positions.count, elementCount: elementCount)
        for (row, position) in positions.enumerated() {
            let index = order.samples[permutation?(position) ?? position]
            storage.setSample(row, index: index, label: dataset.labels?[index])
            try storage.fillImage(row, elementCount: elementCount) {
                try dataset.readImage(at: index, into: $0)
            }
            if let masks {
                storage.fillMask(row, elementCount: elementCount) {
                    masks.expandMask(ofSample: index, channels: dataset.imageShape.channels, into: $0)
                }
            }
        }
        defer { step += 1 }
        return Batch(storage: storage, imageShape: dataset.imageShape, epoch: epoch, step: step)
    }

    private mutating func freeStorage() -> BatchStorage {
        for index in pool.indices where isKnownUniquelyReferenced(&pool[index]) { return pool[index] }
        let fresh = BatchStorage()
        if pool.count < Self.largestPool { pool.append(fresh) }
        return fresh
    }
}
