internal import RRDatasets
internal import RRFormats

/// The forms in which masks come.
public enum MaskSourceKind: String, Sendable, CaseIterable {
    /// A folder of PNG files.
    case pngs
    /// A COCO annotation file.
    case coco
    /// A table of boxes.
    case boxes
    /// An array in an HDF5, NPY, NPZ or IDX file.
    case arrays

    /// Tells the form of a source: a folder, or a file by its first bytes; tables are told by their name, and what else
    /// comes through a pipe is a table.
    ///
    /// - Throws: `FormatError` with the code `notFound`, `cannotRead`, or `unsupported` for any other file.
    init(ofSource path: String) throws(FormatError) {
        if FileTree.kind(of: path) == .folder {
            self = .pngs
            return
        }
        // The bytes of standard input come once, so that an array it must be.
        if path == PipedBytes.standardInput {
            self = .arrays
            return
        }
        let start = try FileBytes.read(path, prefix: 512, takesPipe: true)
        let signature = try FileSignature.of(path)
        if [".csv", ".tsv"].contains(where: path.lowercased().hasSuffix) {
            self = .boxes
        } else if signature == nil,
            start.first(where: { !Self.skipped.contains($0) }) == UInt8(ascii: "{")
        {
            self = .coco
        } else if signature.map({ $0 != .png && $0 != .jpeg && $0 != .safetensors }) ?? Self.isNamedHDF5(path)
        {
            self = .arrays
        } else if FileTree.kind(of: path) == .pipe {
            // A pipe has no name to tell a table by.
            self = .boxes
        } else {
            throw FormatError(
                .unsupported, path: path,
                "masks are read from a folder of PNG files, a COCO annotation file (.json), a table of boxes "
                    + "(.csv), or an HDF5, NPY, NPZ or IDX file; this is none of them")
        }
    }

    /// Of a damaged HDF5 file the name may be all that tells.
    private static func isNamedHDF5(_ path: String) -> Bool {
        [".h5", ".hdf5", ".hdf"].contains { path.lowercased().hasSuffix($0) }
    }

    /// White space and the bytes of a byte order mark.
    private static let skipped: [UInt8] = [0x20, 0x09, 0x0A, 0x0D, 0xEF, 0xBB, 0xBF]

    /// `a folder of PNG files`
    public var name: String {
        switch self {
        case .pngs: "a folder of PNG files"
        case .coco: "a COCO annotation file"
        case .boxes: "a table of boxes"
        case .arrays: "a file of arrays"
        }
    }
}
