internal import RRTensor

extension HDF5Dataset {
    /// Reads all rows, block by block, into the same memory.
    ///
    /// Blocks are of about 32 MB, and end where chunks end as long as that takes no more than 256 MB: a chunk
    /// that straddles two blocks is inflated for each.
    ///
    /// - Parameter body: called with the rows of a block and their elements, in order.
    /// - Throws: as `read(rows:as:into:)`, and what `body` throws.
    package func forEachBlock<Element: HDF5Element>(
        as type: Element.Type, _ body: (Range<Int>, UnsafeBufferPointer<Element>) throws -> Void
    ) throws {
        precondition(shape.rank > 0)
        try checkSize()
        guard shape.elementCount > 0 else { return }
        let rowSize = elementsPerRow * MemoryLayout<Element>.stride
        var rowCount = max(1, (32 << 20) / rowSize)
        if case .chunked(let chunk, _) = layout, let chunkRows = chunk.first {
            if rowCount >= chunkRows {
                rowCount -= rowCount % chunkRows
            } else if chunkRows <= (256 << 20) / rowSize {
                rowCount = chunkRows
            }
        }
        rowCount = min(rowCount, shape[0])
        let buffer = UnsafeMutableBufferPointer<Element>.allocate(capacity: rowCount * elementsPerRow)
        defer { buffer.deallocate() }
        for start in stride(from: 0, to: shape[0], by: rowCount) {
            let rows = start..<min(start + rowCount, shape[0])
            let block = UnsafeMutableBufferPointer(rebasing: buffer[..<(rows.count * elementsPerRow)])
            try read(rows: rows, as: type, into: block)
            try body(rows, UnsafeBufferPointer(block))
        }
    }
}
