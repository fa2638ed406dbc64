internal import RRDatasets
internal import RRTensor

/// What a stream's batches are, in their order: a function of the number of a batch, counted from the start on.
struct BatchPlan: Sendable {
    private let order: SampleOrder
    private let schedule: BatchSchedule
    private let extents: BatchExtents

    init(order: SampleOrder, schedule: BatchSchedule, largestBatch: BatchExtents) {
        self.order = order
        self.schedule = schedule
        extents = largestBatch
    }

    /// The number of batches from the start to the end of the last epoch.
    var batchCount: Int { schedule.batchCount }

    /// Prepares a storage for a batch and writes the rows of the dataset that it holds; −1 is a padded sample.
    func prepare(_ storage: BatchStorage, forBatch number: Int) -> ScheduledBatch {
        let batch = schedule[number]
        var extents = extents
        extents.count = batch.count
        storage.prepare(extents)
        order.fill(storage.places.indices, of: batch)
        return batch
    }
}
