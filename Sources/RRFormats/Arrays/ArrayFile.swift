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

    /// The most dimensions that an array has, as in NumPy and PyTorch: a header of a megabyte could state half a million.
    static let largestRank = 64

    static func tooManyDimensions(_ rank: Int, at location: String) -> FormatError {
        FormatError(
            .unsupported, path: location,
            "the array has \(rank) dimensions; arrays of at most \(largestRank) are read")
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
        self.path = path
        if format == nil, path == PipedBytes.standardInput {
            (self.format, content) = try Self.piped(path)
            return
        }
        let format = if let format { format } else { try Self.format(of: path) }
        self.format = format
        guard path != PipedBytes.standardInput || format == .npy || format == .idx else {
            throw FormatError(
                .unsupported, path: path,
                "HDF5 and NPZ files are read at many places, which a pipe does not allow: save it as a file first"
            )
        }
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

    /// The names of all arrays, for HDF5 of those in groups too: `train/x`; empty where the file is one array.
    ///
    /// - Throws: `FormatError` with the code `malformed`.
    package func arrayNames() throws(FormatError) -> [String] {
        if case .hdf5(let file) = content { return try file.datasetNames() }
        return try names()
    }

    /// Whether there is an array of a name.
    package func holds(_ name: String) -> Bool {
        switch content {
        case .hdf5(let file): file.exists(name)
        case .npz(let file): file.holds(name)
        case .single: false
        }
    }

    /// Opens an array.
    ///
    /// - Parameter name: its name in the file; nil for the file's only array.
    /// - Throws: `FormatError` with the code `notFound`, which lists what is there, `unsupported`, `malformed` or
    ///   `cannotRead`.
    package func array(_ name: String?) throws(FormatError) -> any ArraySource {
        switch (content, name) {
        case (.hdf5(let file), let name?):
            let dataset = try file.dataset(name)
            return dataset.holdsByteSequences ? try HDF5ImageFiles(dataset) : try HDF5Array(dataset)
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

    /// Whether an array was written by MATLAB, which stores the last dimension first: its (H, W, C, N) are (N, C, W, H) in
    /// the file.
    package func isFromMATLAB(_ name: String) -> Bool {
        guard case .hdf5(let file) = content else { return false }
        return file.text("MATLAB_class", of: name) != nil
    }

    /// What comes through a pipe, an array told by its first bytes.
    private static func piped(_ path: String) throws(FormatError) -> (Format, Content) {
        let bytes = try ArrayBytes.open(path)
        switch try FileSignature.of(bytes) {
        case .npy: return (.npy, .single(try NPYArray.open(bytes, location: path)))
        case .gzip, .idx: return (.idx, .single(try IDXArray.open(bytes, location: path)))
        default:
            throw FormatError(
                .unsupported, path: path,
                "what comes through the pipe is neither an NPY nor an IDX file; save it as a file first")
        }
    }

    /// What a file is, by its content.
    private static func format(of path: String) throws(FormatError) -> Format {
        switch try FileSignature.of(path) {
        case .npy: .npy
        case .zip: .npz
        case .gzip, .idx: .idx
        // Of anything else libhdf5 says what is wrong.
        case .hdf5, .png, .jpeg, .safetensors, nil: .hdf5
        }
    }
}
