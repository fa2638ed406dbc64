internal import RRDatasets
internal import RRTensor

/// What a stream's batches are, in their order: a function of the number of a batch, counted over all epochs.
struct BatchPlan: Sendable {
    private let order: SampleOrder
    private let extents: BatchExtents
    private var epoch = 0
    private var permutation: KeyedPermutation?

    /// The number of batches of all epochs.
    let batchCount: Int

    init(order: SampleOrder, batchCount: Int, largestBatch: BatchExtents) {
        self.order = order
        self.batchCount = batchCount
        extents = largestBatch
        permutation = order.permutation(epoch: 0)
    }

    /// Prepares a storage for a batch and writes the rows of the dataset that it holds; −1 is a padded sample.
    mutating func prepare(_ storage: BatchStorage, forBatch number: Int) -> (epoch: Int, step: Int) {
        let (epoch, step) = number.quotientAndRemainder(dividingBy: order.batchesPerEpoch)
        if epoch != self.epoch {
            self.epoch = epoch
            permutation = order.permutation(epoch: epoch)
        }
        let positions = order.positions(ofBatch: step)
        var extents = extents
        extents.count = positions.count
        storage.prepare(extents)
        let indices = storage.places.indices
        order.samples.withUnsafeBufferPointer { samples in
            for (row, position) in positions.enumerated() {
                indices[row] = Int64(samples[permutation?(position) ?? position])
            }
        }
        return (epoch, step)
    }
}
