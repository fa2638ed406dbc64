/// How the images of a dataset are compressed.
public enum Compression: String, Sendable, CaseIterable {
    /// In one piece, as they are: the fastest to read.
    case none
    /// In blocks of whole images that any HDF5 reader inflates.
    case deflate
}
