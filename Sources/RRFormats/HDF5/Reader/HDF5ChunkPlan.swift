internal import CHDF5
internal import CHDF5Reader
internal import RRTensor
internal import Synchronization

/// Where a chunk lies in the file, as it is stored.
struct HDF5ChunkPlace: Sendable {
    /// From the start of the file.
    let address: Int
    /// In bytes.
    let size: Int
    /// The filters that it did not pass through, a bit each.
    let filterMask: UInt32
}

/// Where the chunks of a dataset lie, asked for as they are met.
final class HDF5ChunkPlan: Sendable {
    private static let chunksAtATime = 1024

    private let reader: HDF5Reader
    private let number: Int
    private let grid: HDF5ChunkDecoder.Chunks
    /// The places of chunks in a row, by their number.
    private let blocks = Mutex<[Int: [HDF5ChunkPlace?]]>([:])

    init(_ reader: HDF5Reader, dataset number: Int, grid: HDF5ChunkDecoder.Chunks) {
        self.reader = reader
        self.number = number
        self.grid = grid
    }

    /// The place of a chunk; nil where there is none, or where it lies is unknown.
    ///
    /// - Parameter offset: its first element.
    func place(at offset: [Int]) throws(FormatError) -> HDF5ChunkPlace? {
        var position = 0
        for (dimension, count) in grid.counts.enumerated() {
            position = position * count + offset[dimension] / grid.extents[dimension]
        }
        let (block, index) = position.quotientAndRemainder(dividingBy: Self.chunksAtATime)
        return try blocks.withLock { blocks throws(FormatError) -> HDF5ChunkPlace? in
            if let places = blocks[block] { return places[index] }
            let chunks = block * Self.chunksAtATime..<min((block + 1) * Self.chunksAtATime, grid.count)
            let places = try ask(chunks)
            blocks[block] = places
            return places[index]
        }
    }

    private func ask(_ chunks: Range<Int>) throws(FormatError) -> [HDF5ChunkPlace?] {
        let fileSize = reader.input.size
        return try reader.ask(.chunkPlaces(number, chunks)) { parser throws(HDF5BrokenRecord) in
            let places = try parser.list { parser throws(HDF5BrokenRecord) in
                try parser.optional { parser throws(HDF5BrokenRecord) in
                    let (address, size, mask) = (try parser.size(), try parser.size(), try parser.size())
                    guard address <= fileSize, size <= fileSize - address,
                        let mask = UInt32(exactly: mask)
                    else { throw HDF5BrokenRecord() }
                    return HDF5ChunkPlace(address: address, size: size, filterMask: mask)
                }
            }
            guard places.count == chunks.count else { throw HDF5BrokenRecord() }
            return places
        }
    }
}

extension HDF5Dataset {
    /// Where chunks lie, found by libhdf5 through the driver that notes what it is asked for; nil for those that were never
    /// written, or lie beyond the end of the file.
    ///
    /// libhdf5 1.10 looks through all chunks where it is asked for one by `H5Dget_chunk_info_by_coord`.
    func chunkPlaces(_ chunks: Range<Int>) throws(FormatError) -> [HDF5ChunkPlace?] {
        guard case .chunked(let extents, _) = layout,
            let grid = HDF5ChunkDecoder.Chunks(shape: shape.dimensions, extents: extents),
            chunks.upperBound <= grid.count
        else {
            throw FormatError(.malformed, path: location, "there are no chunks of these numbers")
        }
        let fileSize = try file.fileSize()
        let errors = HDF5Library.silenceErrors()
        defer { errors.restore() }
        return chunks.map { position in
            let offset = grid.offset(at: position).map { hsize_t($0) }
            var mask: UInt32 = 0
            var nothing: UInt8 = 0
            rr_hdf5_note_places()
            let status = H5Dread_chunk(handle.id, rr_h5p_default(), offset, &mask, &nothing)
            let place = rr_hdf5_noted_place()
            guard status >= 0, place.count == 1, place.address <= fileSize,
                place.size <= UInt64(fileSize) - place.address
            else { return nil }
            return HDF5ChunkPlace(address: Int(place.address), size: Int(place.size), filterMask: mask)
        }
    }
}
