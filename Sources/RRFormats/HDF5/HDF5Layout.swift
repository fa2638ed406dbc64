internal import CHDF5

/// How the elements of a dataset lie in the file.
package enum HDF5Layout: Hashable, Sendable {
    /// In one piece, from an offset in bytes from the start of the file; nil before anything was written.
    case contiguous(fileOffset: Int?)
    /// In blocks of the given extents, each passed through filters: `deflate`, `shuffle`, …
    case chunked([Int], filters: [String])
    /// Inside the dataset's header.
    case compact
    /// In a way that is refused, described in words: `virtual`, `external files`.
    case other(String)
}

/// How the elements of a new dataset are to lie in the file.
package enum HDF5Storage: Hashable, Sendable {
    /// In one piece, aligned to 4,096 bytes where it is as long.
    case contiguous
    /// In one piece that is given its place at once, to be written past libhdf5.
    case reserved
    /// In blocks of the given extents, compressed where the level is above 0 (at most 9).
    case chunked([Int], deflateLevel: Int)
}

extension HDF5Layout {
    /// Asks an open dataset.
    init(of dataset: borrowing HDF5Handle) {
        guard let creation = try? HDF5Handle(H5Dget_create_plist(dataset.id), at: "") else {
            self = .other("layout that is not known")
            return
        }
        switch H5Pget_layout(creation.id) {
        case H5D_CONTIGUOUS:
            guard H5Pget_external_count(creation.id) == 0 else {
                self = .other("external files")
                return
            }
            let offset = H5Dget_offset(dataset.id)
            self = .contiguous(fileOffset: offset == rr_haddr_undefined() ? nil : Int(exactly: offset))
        case H5D_CHUNKED:
            self = .chunked(Self.chunk(of: creation), filters: Self.filters(of: creation).map(\.name))
        case H5D_COMPACT: self = .compact
        case H5D_VIRTUAL: self = .other("virtual")
        default: self = .other("layout that is not known")
        }
    }

    private static func chunk(of creation: borrowing HDF5Handle) -> [Int] {
        let rank = H5Pget_chunk(creation.id, 0, nil)
        guard rank > 0 else { return [] }
        var extents = [hsize_t](repeating: 0, count: Int(rank))
        H5Pget_chunk(creation.id, rank, &extents)
        return extents.map { Int(clamping: $0) }
    }

    /// The filters of a dataset in the order of writing, with the names that h5py gives them.
    static func filters(of creation: borrowing HDF5Handle) -> [(number: Int, name: String)] {
        let count = max(0, H5Pget_nfilters(creation.id))
        return (0..<UInt32(count)).map { position in
            var (flags, valueCount, configuration): (UInt32, Int, UInt32) = (0, 0, 0)
            let number = Int(
                H5Pget_filter2(creation.id, position, &flags, &valueCount, nil, 0, nil, &configuration))
            let name =
                switch number {
                case 1: "deflate"
                case 2: "shuffle"
                case 3: "fletcher32"
                case 4: "szip"
                case 5: "nbit"
                case 6: "scaleoffset"
                case 32000: "lzf"
                case 32001: "blosc"
                case 32004: "lz4"
                case 32008: "bitshuffle"
                case 32015: "zstd"
                default: "filter \(number)"
                }
            return (number, name)
        }
    }
}
