internal import CHDF5

/// Reads rows of an array on one thread, with memory of its own that is used again and again.
///
/// `HDF5Array.read(rows:into:)` spreads one large read over all cores; this is for many threads that each read little.
package final class HDF5RowReader {
    private let array: HDF5Array
    private let worker: HDF5ChunkDecoder.Worker?
    /// The chunk that the worker holds, where chunks are of whole rows.
    private var current: Int?

    package init(_ array: HDF5Array) {
        self.array = array
        if case .chunks(let decoder, _) = array.way {
            worker = HDF5ChunkDecoder.Worker(decoder)
        } else {
            worker = nil
        }
    }

    /// Reads rows as `HDF5Array.read(rows:into:)` does.
    ///
    /// - Throws: `FormatError` with the code `malformed`, `cannotRead` or `unsupported`.
    package func read(rows: Range<Int>, into bytes: UnsafeMutableRawBufferPointer) throws(FormatError) {
        let rowSize = array.bytesPerRow
        precondition(bytes.count == rows.count * rowSize)
        guard !bytes.isEmpty else { return }
        switch array.way {
        case .inOnePiece(let file, let offset):
            try file.read(at: offset + rows.lowerBound * rowSize, into: bytes, location: array.location)
        case .chunks(let decoder, let dataset):
            guard let worker, try readChunks(of: dataset, by: decoder, worker, rows: rows, into: bytes) else {
                return try array.readByLibrary(dataset, rows: rows, into: bytes)
            }
        case .byLibrary(let dataset):
            return try array.readByLibrary(dataset, rows: rows, into: bytes)
        }
        array.finishing?.apply(to: bytes)
    }

    /// Reads rows chunk by chunk.
    ///
    /// - Returns: whether all went well; if not, libhdf5 has to say what is wrong.
    /// - Throws: `FormatError` with the code `malformed` for a chunk of another size.
    private func readChunks(
        of dataset: HDF5Dataset, by decoder: HDF5ChunkDecoder, _ worker: HDF5ChunkDecoder.Worker,
        rows: Range<Int>, into bytes: UnsafeMutableRawBufferPointer
    ) throws(FormatError) -> Bool {
        guard decoder.hasWholeRows else {
            let chunks = decoder.chunks(of: rows)
            for position in 0..<chunks.count {
                let offset = chunks.offset(at: position)
                guard try decode(offset, of: dataset, by: worker) else { return false }
                worker.copy(chunkAt: offset, ofRows: rows, into: bytes)
            }
            return true
        }
        let (chunkRows, rowSize) = (decoder.extents[0], array.bytesPerRow)
        var row = rows.lowerBound
        while row < rows.upperBound {
            let chunk = row / chunkRows
            if current != chunk {
                current = nil
                var offset = decoder.extents
                for dimension in offset.indices { offset[dimension] = 0 }
                offset[0] = chunk * chunkRows
                guard try decode(offset, of: dataset, by: worker) else { return false }
                current = chunk
            }
            let end = min(rows.upperBound, (chunk + 1) * chunkRows)
            let start = (row - chunk * chunkRows) * rowSize
            UnsafeMutableRawBufferPointer(rebasing: bytes[((row - rows.lowerBound) * rowSize)...])
                .copyMemory(
                    from: UnsafeRawBufferPointer(
                        rebasing: worker.stored[start..<start + (end - row) * rowSize]))
            row = end
        }
        return true
    }

    private func decode(
        _ offset: [Int], of dataset: HDF5Dataset, by worker: HDF5ChunkDecoder.Worker
    ) throws(FormatError) -> Bool {
        guard let filterMask = try worker.fetch(offset, from: dataset, array.lock) else { return false }
        return try worker.decode(skipping: filterMask, at: array.location)
    }
}

extension HDF5ChunkDecoder {
    /// Whether a chunk holds whole rows, so that its bytes are those of its rows in order.
    fileprivate var hasWholeRows: Bool { extents.dropFirst() == shape.dropFirst() }
}
