/// A file that holds arrays: HDF5, NPY, NPZ or IDX.
package final class ArrayFile {
    package enum Format: String, Sendable, CaseIterable {
        case hdf5, npy, npz, idx
    }

    private enum Content {
        case hdf5(HDF5File)
        case npz(NPZFile)
        /// A file of one array, without a name.
        case single(any ArraySource)
    }

    package let path: String
    package let format: Format
    private let content: Content

    /// Opens a file.
    ///
    /// - Parameters:
    ///   - format: what the file must be; nil for what its first bytes say.
    ///   - trustingLinks: whether other files and plugins that an HDF5 file names are opened.
    /// - Throws: `FormatError` with the code `notFound`, `cannotRead`, `malformed` or `unsupported`.
    package init(path: String, format: Format? = nil, trustingLinks: Bool = false) throws(FormatError) {
        let format = if let format { format } else { try Self.format(of: path) }
        self.path = path
        self.format = format
        content =
            switch format {
            case .hdf5: .hdf5(try HDF5File(reading: path, trustingLinks: trustingLinks))
            case .npz: .npz(try NPZFile(path: path))
            case .npy: .single(try NPYArray.open(path))
            case .idx: .single(try IDXArray.open(path))
            }
    }

    /// The names of the arrays, for HDF5 of the objects in the root group; empty where the file is one array.
    ///
    /// - Throws: `FormatError` with the code `malformed`.
    package func names() throws(FormatError) -> [String] {
        switch content {
        case .hdf5(let file): try file.memberNames(of: "/")
        case .npz(let file): file.names
        case .single: []
        }
    }

    /// Opens an array.
    ///
    /// - Parameter name: its name in the file; nil for the file's only array.
    /// - Throws: `FormatError` with the code `notFound`, which lists what is there, `unsupported`, `malformed` or
    ///   `cannotRead`.
    package func array(_ name: String?) throws(FormatError) -> any ArraySource {
        switch (content, name) {
        case (.hdf5(let file), let name?): return try HDF5Array(file.dataset(name))
        case (.npz(let file), let name?): return try file.array(name)
        case (.single(let array), nil): return array
        case (.single, let name?):
            throw FormatError(.notFound, path: path, "the file is one array; it has no names such as \(name)")
        case (_, nil):
            let names = try names()
            // Of a single array there is no doubt.
            if names.count == 1 { return try array(names[0]) }
            throw FormatError(
                .notFound, path: path,
                "the file holds \(names.isEmpty ? "no arrays" : names.joined(separator: ", ")); name one of them"
            )
        }
    }

    /// What a file is, by its first bytes.
    private static func format(of path: String) throws(FormatError) -> Format {
        let file = try RandomAccessFile(path: path)
        let start = try file.bytes(at: 0, count: 8)
        if start.starts(with: [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59]) { return .npy }
        if start.starts(with: [0x50, 0x4B]) { return .npz }
        if start.starts(with: GzipFile.signature) || start.starts(with: [0, 0]) { return .idx }
        // An HDF5 file may begin with a block of the user's, so that libhdf5 has to say.
        return .hdf5
    }
}
