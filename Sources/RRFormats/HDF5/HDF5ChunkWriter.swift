internal import CHDF5
internal import CLibDeflate
internal import RRTensor
internal import Synchronization

/// Writes rows of a dataset whose chunks are whole rows compressed by deflate, from any number of threads.
///
/// Chunks are compressed by libdeflate on the caller's thread, and handed to libhdf5 one by one in their order, so that the
/// same rows make the same bytes whichever thread is faster.
///
/// Unchecked: libhdf5 is called, and what changes touched, under `lock` only.
package final class HDF5ChunkWriter: @unchecked Sendable {
    /// A chunk of which some rows are still to come.
    private struct Partial {
        var bytes: [UInt8]
        var rowCount = 0
    }

    /// The rows of a chunk.
    package let rowsPerChunk: Int

    private let dataset: HDF5Dataset
    private let level: Int32
    private let rowCount: Int
    private let rowSize: Int
    private let lock = Mutex(())
    private var partials: [Int: Partial] = [:]
    /// The first chunk that is not written.
    private var nextChunk = 0
    private var waiting: WaitingChunks
    /// The first write that failed, which those of other threads then fail of too.
    private var failure: FormatError?

    /// Takes over a dataset that was created with chunks of whole rows and no filter but deflate.
    ///
    /// - Parameter mostWaiting: the bytes of compressed chunks that wait in memory for those before them.
    package init(_ dataset: HDF5Dataset, rowsPerChunk: Int, level: Int, mostWaiting: Int = 64 << 20) {
        self.dataset = dataset
        self.rowsPerChunk = rowsPerChunk
        self.level = Int32(level)
        rowCount = dataset.shape[0]
        rowSize = dataset.elementsPerRow * (dataset.elementType.size ?? 0)
        waiting = WaitingChunks(
            mostMemory: mostWaiting, beside: dataset.file.writtenPath, shownAs: dataset.file.path)
    }

    /// Writes the bytes of rows, each row once; a chunk is compressed as soon as its rows are there.
    ///
    /// - Throws: `FormatError` with the code `cannotWrite`, after which the file is of no more use.
    package func write(_ bytes: UnsafeRawBufferPointer, rows: Range<Int>) throws(FormatError) {
        precondition(bytes.count == rows.count * rowSize && rows.upperBound <= rowCount)
        var row = rows.lowerBound
        while row < rows.upperBound {
            let chunk = row / rowsPerChunk
            let all = chunk * rowsPerChunk..<min((chunk + 1) * rowsPerChunk, rowCount)
            let own = row..<min(all.upperBound, rows.upperBound)
            let begin = (row - rows.lowerBound) * rowSize
            let part = UnsafeRawBufferPointer(rebasing: bytes[begin..<begin + own.count * rowSize])
            if own.count == rowsPerChunk {
                try compress(part, chunk: chunk)
            } else if let whole = add(part, rows: own, of: all, chunk: chunk) {
                try whole.withBytes { bytes throws(FormatError) in try compress(bytes, chunk: chunk) }
            }
            row = own.upperBound
        }
    }

    /// Keeps some rows of a chunk; returns the chunk once it is whole, at the array's end padded with zeros.
    private func add(
        _ part: UnsafeRawBufferPointer, rows: Range<Int>, of all: Range<Int>, chunk: Int
    ) -> [UInt8]? {
        lock.withLock { _ in
            var partial =
                partials.removeValue(forKey: chunk)
                ?? Partial(bytes: Array(repeating: 0, count: rowsPerChunk * rowSize))
            let begin = (rows.lowerBound - all.lowerBound) * rowSize
            partial.bytes.withUnsafeMutableBytes { target in
                UnsafeMutableRawBufferPointer(rebasing: target[begin..<begin + part.count])
                    .copyMemory(from: part)
            }
            partial.rowCount += rows.count
            guard partial.rowCount < all.count else { return partial.bytes }
            partials[chunk] = partial
            return nil
        }
    }

    private func compress(_ bytes: UnsafeRawBufferPointer, chunk: Int) throws(FormatError) {
        guard let compressor = libdeflate_alloc_compressor(level) else {
            return try fail("there is no memory left")
        }
        defer { libdeflate_free_compressor(compressor) }
        let room = libdeflate_zlib_compress_bound(compressor, bytes.count)
        let target = UnsafeMutableRawBufferPointer.allocate(byteCount: room, alignment: 16)
        defer { target.deallocate() }
        let size = libdeflate_zlib_compress(
            compressor, bytes.baseAddress, bytes.count, target.baseAddress, room)
        guard size > 0 else { return try fail("a chunk cannot be compressed") }
        let compressed = UnsafeRawBufferPointer(rebasing: target[..<size])
        try lock.withLockTyped { () throws(FormatError) in
            if let failure { throw failure }
            do throws(FormatError) {
                try take(compressed, chunk: chunk)
            } catch {
                failure = error
                throw error
            }
        }
    }

    /// Writes a compressed chunk, and those that have waited for it; or lets it wait.
    private func take(_ bytes: UnsafeRawBufferPointer, chunk: Int) throws(FormatError) {
        guard chunk == nextChunk else { return try waiting.add(bytes, chunk: chunk) }
        try store(bytes, chunk: chunk)
        nextChunk += 1
        while let next = try waiting.take(nextChunk) {
            try next.withBytes { bytes throws(FormatError) in try store(bytes, chunk: nextChunk) }
            nextChunk += 1
        }
    }

    private func store(_ bytes: UnsafeRawBufferPointer, chunk: Int) throws(FormatError) {
        let offset = [hsize_t(chunk * rowsPerChunk)] + dataset.shape.dimensions.dropFirst().map { _ in 0 }
        try dataset.file.write { () throws(FormatError) in
            try HDF5Library.check(
                H5Dwrite_chunk(
                    dataset.handle.id, rr_h5p_default(), 0, offset, bytes.count, bytes.baseAddress),
                at: dataset.location, code: .cannotWrite)
        }
    }

    private func fail(_ reason: String) throws(FormatError) {
        let failure = FormatError(.cannotWrite, path: dataset.location, reason)
        try lock.withLockTyped { () throws(FormatError) in try dataset.file.giveUp(failure) }
    }
}

extension [UInt8] {
    /// Calls a body that throws a typed error with the bytes.
    fileprivate func withBytes<Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        let outcome: Result<Void, Failure> = withUnsafeBytes { bytes in
            do throws(Failure) {
                return .success(try body(bytes))
            } catch {
                return .failure(error)
            }
        }
        try outcome.get()
    }
}
