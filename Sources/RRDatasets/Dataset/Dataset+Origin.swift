internal import RRFormats

/// What an export keeps of a dataset's file beside its content, so that an import makes the same bytes.
extension Dataset {
    /// What the file says of the dataset's making, as it stands there; nil where it says nothing, or there is no such
    /// file.
    ///
    /// - Throws: `FormatError` where the file is damaged.
    package func provenanceText() throws -> String? {
        guard FileTree.kind(of: path) == .file,
            case .string(let text)? = try HDF5File(reading: path).attribute("provenance")
        else { return nil }
        return text
    }

    /// How the images are stored.
    ///
    /// - Throws: `FormatError` where the file is damaged.
    package func compression() throws -> Compression {
        guard FileTree.kind(of: path) == .file,
            case .chunked(_, let filters) = try HDF5File(reading: path).dataset("/images").layout,
            !filters.isEmpty
        else { return .none }
        return .deflate
    }
}
