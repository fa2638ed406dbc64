/// Images of a dataset that the readers of a stream keep in memory.
package final class ImageCache: Sendable {
    let blocks: BlockCache
    let rowsPerBlock: Int

    /// Makes room for the images, or for as many as fit.
    ///
    /// - Parameters:
    ///   - memory: the bytes that may be used.
    ///   - readerCount: the readers that use the cache at the same time.
    /// - Returns: nil where keeping images would not pay: too little memory, or images that the system reads as fast.
    package convenience init?(for dataset: Dataset, memory: Int, readerCount: Int) {
        guard dataset.source.block.isWorthKeeping else { return nil }
        // A block a reader is in use at any time; a cache that holds little more is of no use.
        self.init(of: dataset, memory: memory, leastCapacity: 4 * readerCount + 1)
    }

    /// Makes room for as many blocks as fit, for one at least.
    convenience init?(of dataset: Dataset, memory: Int) {
        self.init(of: dataset, memory: memory, leastCapacity: 0)
    }

    private init?(of dataset: Dataset, memory: Int, leastCapacity: Int) {
        let block = dataset.source.block
        let (size, overflow) = dataset.imageSize.multipliedReportingOverflow(by: block.rows)
        guard !overflow, size > 0 else { return nil }
        let count = (dataset.sampleCount + block.rows - 1) / block.rows
        let capacity = min(count, max(memory / size, leastCapacity == 0 ? 1 : 0))
        guard capacity == count || capacity >= leastCapacity,
            let blocks = BlockCache(blockSize: size, blockCount: count, capacity: capacity)
        else { return nil }
        self.blocks = blocks
        rowsPerBlock = block.rows
    }
}
