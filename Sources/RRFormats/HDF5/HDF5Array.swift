internal import CHDF5
package import RRTensor
internal import Synchronization

/// An HDF5 dataset of numbers or text, read past libhdf5 where its layout allows.
///
/// Elements in one piece are read from the file at their offset. Chunks that passed through deflate, shuffle and
/// fletcher32 are fetched from libhdf5 one by one as they are stored, and decoded on all cores. Everything else,
/// and everything that fails on these ways, is left to `H5Dread`, which has the last word.
///
/// Unchecked: libhdf5 is called, and the dataset touched, under `lock` only.
package final class HDF5Array: ArraySource, @unchecked Sendable {
    /// A larger chunk is left to libhdf5, and rows are then read without regard to chunks.
    static let largestBlock = 256 << 20

    package let location: String
    package let shape: TensorShape
    package let elementType: ArrayElementType
    package let rowsPerBlock: Int

    let form: HDF5ElementForm
    private let storedType: HDF5ElementType
    /// libhdf5 runs one call at a time in any case.
    let lock = Mutex(())
    let way: Way

    /// What is to be done to stored bytes; nil where they are those of memory.
    let finishing: Finishing?

    /// How stored bytes become those of memory.
    enum Finishing {
        case swapping(elementSize: Int)
        /// Any truth value but 0 is 1.
        case truthValues

        func apply(to bytes: UnsafeMutableRawBufferPointer) {
            switch self {
            case .swapping(let size): ByteOrder.swap(bytes, elementSize: size)
            case .truthValues: for position in bytes.indices where bytes[position] > 1 { bytes[position] = 1 }
            }
        }
    }

    /// How elements are read.
    enum Way {
        case inOnePiece(InputFile, offset: Int)
        case chunks(HDF5ChunkDecoder, HDF5Dataset)
        case byLibrary(HDF5Dataset)
    }

    /// Takes over a dataset, and lets go of it where its elements are in one piece.
    ///
    /// - Parameter textAsBytes: whether texts of one length are taken for bytes, which have a dimension more.
    /// - Throws: `FormatError` with the code `malformed`, `notFound` or `cannotRead`.
    package init(_ dataset: HDF5Dataset, textAsBytes: Bool = false) throws(FormatError) {
        let stored = dataset.facts
        let facts = textAsBytes ? stored.asBytes ?? stored : stored
        location = dataset.location
        shape = facts.shape
        form = facts.form
        storedType = facts.elementType
        elementType = form.type
        finishing =
            form.type == .bool
            ? .truthValues : form.isBigEndian ? .swapping(elementSize: form.type.size ?? 1) : nil
        var rows = 1
        var way = Way.byLibrary(dataset)
        let elementsPerRow = facts.shape.dimensions.dropFirst().reduce(1, *)
        let rowSize = max(1, elementsPerRow.multipliedReportingOverflow(by: form.type.size ?? 1).partialValue)
        switch facts.layout {
        case .contiguous(let offset?) where form.isAsStored && facts.shape.rank > 0 && facts.isInOwnFile:
            let file =
                if let input = dataset.file.input { input } else { try InputFile(reading: dataset.path) }
            let (length, overflow) = rowSize.multipliedReportingOverflow(by: facts.shape[0])
            if !overflow, offset >= 0, offset <= file.size, length <= file.size - offset {
                way = .inOnePiece(file, offset: offset)
            } else if facts.shape.elementCount > 0 {
                throw FormatError(
                    .malformed, path: dataset.location,
                    "the file is cut short: the elements end beyond its \(file.size) bytes")
            }
        case .chunked(let extents, _):
            if let chunkRows = extents.first, chunkRows <= Self.largestBlock / rowSize {
                rows = max(1, chunkRows)
                if form.isAsStored, facts.isInOwnFile,
                    let decoder = HDF5ChunkDecoder(
                        of: facts, extents: extents, fileSize: try dataset.file.fileSize())
                {
                    way = .chunks(decoder, dataset)
                }
            } else {
                rows = max(1, (32 << 20) / rowSize)
            }
        default: rows = max(1, (32 << 20) / rowSize)
        }
        self.way = way
        rowsPerBlock = max(1, min(rows, facts.shape.rank == 0 ? 1 : facts.shape[0]))
    }

    /// The file that elements in one piece are read from, any rows at the cost of their bytes; nil for other layouts.
    package var ownFile: InputFile? { if case .inOnePiece(let file, _) = way { file } else { nil } }

    private var dataset: HDF5Dataset? {
        switch way {
        case .inOnePiece: nil
        case .chunks(_, let dataset), .byLibrary(let dataset): dataset
        }
    }

    package var valueNames: [Int64: String]? { form.valueNames }

    package func checkSize() throws(FormatError) {
        // What is in one piece was found in the file when it was opened.
        guard let dataset else { return }
        try lock.withLockTyped { () throws(FormatError) in try dataset.checkSize() }
    }

    package func texts() throws(FormatError) -> [String] {
        guard let dataset else {
            throw FormatError(.unsupported, path: location, "its elements are no strings (\(storedType))")
        }
        return try lock.withLockTyped { () throws(FormatError) in try dataset.readStrings() }
    }

    package func read(rows: Range<Int>, into bytes: UnsafeMutableRawBufferPointer) throws(FormatError) {
        guard elementType.size != nil else {
            throw FormatError(.unsupported, path: location, "its elements are no numbers but \(elementType)")
        }
        precondition(bytes.count == rows.count * bytesPerRow)
        guard !bytes.isEmpty else { return }
        guard case .chunks(_, let dataset) = way else {
            return try HDF5RowReader(self).read(rows: rows, into: bytes)
        }
        guard try readPastLibrary(rows: rows, into: bytes) else {
            return try readByLibrary(dataset, rows: rows, into: bytes)
        }
    }

    /// Reads rows without libhdf5.
    ///
    /// - Returns: whether that was possible.
    /// - Throws: `FormatError` with the code `malformed` or `cannotRead`.
    func readPastLibrary(
        rows: Range<Int>, into bytes: UnsafeMutableRawBufferPointer
    ) throws(FormatError) -> Bool {
        switch way {
        case .inOnePiece(let file, let offset):
            try file.read(at: offset + rows.lowerBound * bytesPerRow, into: bytes, location: location)
        case .chunks(let decoder, let dataset):
            guard try readChunks(of: dataset, by: decoder, rows: rows, into: bytes) else { return false }
        case .byLibrary: return false
        }
        finishing?.apply(to: bytes)
        return true
    }

    func readByLibrary(
        _ dataset: HDF5Dataset, rows: Range<Int>, into bytes: UnsafeMutableRawBufferPointer
    ) throws(FormatError) {
        try lock.withLockTyped { () throws(FormatError) in
            try dataset.read(rows: rows, form: form, into: bytes)
        }
        if form.valueNames != nil || elementType == .bool { finishing?.apply(to: bytes) }
    }

    /// Reads rows chunk by chunk on all cores.
    ///
    /// - Returns: whether all went well; if not, libhdf5 has to say what is wrong, or to fill in what was never
    ///   written.
    /// - Throws: `FormatError` with the code `malformed` for a chunk of another size.
    private func readChunks(
        of dataset: HDF5Dataset, by decoder: HDF5ChunkDecoder, rows: Range<Int>,
        into bytes: UnsafeMutableRawBufferPointer
    ) throws(FormatError) -> Bool {
        let chunks = decoder.chunks(of: rows)
        nonisolated(unsafe) let (target, source) = (bytes, dataset)
        struct NotServed: Error {}
        do {
            try Workers().run(parts: 0..<chunks.count) {
                guard let worker = HDF5ChunkDecoder.Worker(decoder) else { throw NotServed() }
                return worker
            } _: { worker, position in
                let offset = chunks.offset(at: position)
                let filterMask = try worker.fetch(offset, from: source, lock)
                guard let filterMask, try worker.decode(skipping: filterMask, at: location) else {
                    throw NotServed()
                }
                worker.copy(chunkAt: offset, ofRows: rows, into: target)
            }
            return true
        } catch let error as FormatError {
            throw error
        } catch {
            return false
        }
    }
}
