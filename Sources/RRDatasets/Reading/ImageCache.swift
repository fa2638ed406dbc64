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
    package init?(for dataset: Dataset, memory: Int, readerCount: Int) {
        let block = dataset.source.block
        let (size, overflow) = dataset.imageSize.multipliedReportingOverflow(by: block.rows)
        guard block.isWorthKeeping, !overflow, size > 0 else { return nil }
        let count = (dataset.sampleCount + block.rows - 1) / block.rows
        // A block a reader is in use at any time; a cache that holds little more is of no use.
        let capacity = min(count, memory / size)
        guard capacity == count || capacity > 4 * readerCount,
            let blocks = BlockCache(blockSize: size, blockCount: count, capacity: capacity)
        else { return nil }
        self.blocks = blocks
        rowsPerBlock = block.rows
    }
}
