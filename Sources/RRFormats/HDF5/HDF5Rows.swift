internal import CHDF5
internal import Glibc
internal import RRTensor
internal import Synchronization

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

/// Writes rows of a dataset that lies in one piece, past libhdf5, from any number of threads.
///
/// Unchecked: libhdf5 is called under `lock` only.
package final class HDF5RowWriter: @unchecked Sendable {
    private let dataset: HDF5Dataset
    private let descriptor: Int32
    private let offset: Int
    private let rowSize: Int
    private let lock = Mutex(())

    /// Opens the file of a dataset that was created with the storage `reserved`.
    ///
    /// - Throws: `FormatError` with the code `cannotWrite`.
    package init(_ dataset: HDF5Dataset) throws(FormatError) {
        guard case .contiguous(let offset?) = dataset.layout else {
            throw FormatError(.cannotWrite, path: dataset.location, "the array has no place in the file")
        }
        self.dataset = dataset
        self.offset = offset
        rowSize = dataset.elementsPerRow * (dataset.elementType.size ?? 0)
        descriptor = open(dataset.file.writtenPath, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw FormatError(writing: dataset.file.path, failure: errno)
        }
    }

    deinit { close(descriptor) }

    /// Writes the bytes of rows, as they are to stand in the file.
    ///
    /// - Throws: `FormatError` with the code `cannotWrite`, after which the file is of no more use.
    package func write(_ bytes: UnsafeRawBufferPointer, rows: Range<Int>) throws(FormatError) {
        precondition(bytes.count == rows.count * rowSize && rows.upperBound <= dataset.shape[0])
        var position = offset + rows.lowerBound * rowSize
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = pwrite(
                descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count, position)
            if count >= 0 {
                position += count
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                let failure = FormatError(writing: dataset.file.path, failure: errno)
                try lock.withLockTyped { () throws(FormatError) in try dataset.file.giveUp(failure) }
            }
        }
        Durability.beginSync(descriptor, offset: position - bytes.count, count: bytes.count)
    }
}
