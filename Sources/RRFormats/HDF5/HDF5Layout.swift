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
