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
    /// A JSON file of labelme, or a folder with one for each image.
    case labelme
    /// A file of CVAT's XML, “CVAT for images 1.1”, or a folder with one.
    case cvat
    /// An export of Label Studio, JSON or JSON-MIN.
    case labelStudio = "label-studio"
    /// A folder with a text file of YOLO's labels for each image.
    case yolo

    /// Tells the form of a source: a folder by its files, or a file by its first bytes; tables are told by their name, and
    /// what else comes through a pipe is a table.
    ///
    /// - Parameters:
    ///   - format: what somebody says it is; nil for what it holds.
    ///   - prefersImages: whether options are given that only mask images have a use for.
    /// - Throws: `FormatError` with the code `notFound`, `cannotRead`, or `unsupported` for any other file;
    ///   `DatasetError` where a folder can be read in several ways.
    init(ofSource path: String, format: MaskSourceKind? = nil, prefersImages: Bool = false) throws {
        let isFolder = FileTree.kind(of: path) == .folder
        guard let format else {
            guard isFolder else {
                self = try MaskSourceKind(ofFile: path)
                return
            }
            var folder = try AnnotationFolder(path)
            self = try folder.kind(prefersImages: prefersImages)
            return
        }
        let forms: [MaskSourceKind] =
            isFolder
            ? [.pngs, .labelme, .cvat, .yolo] : [.coco, .boxes, .arrays, .labelme, .cvat, .labelStudio]
        guard forms.contains(format) else {
            throw DatasetError(
                .invalidOption, path: path,
                "\(option: .format) \(format.rawValue) is no \(isFolder ? "folder" : "file")")
        }
        self = format
    }

    private init(ofFile path: String) throws(FormatError) {
        // The bytes of standard input come once, so that an array it must be.
        if path == PipedBytes.standardInput {
            self = .arrays
            return
        }
        let start = try FileBytes.read(path, prefix: 512, takesPipe: true)
        let signature = try FileSignature.of(path)
        if [".csv", ".tsv"].contains(where: path.lowercased().hasSuffix) {
            self = .boxes
        } else if signature == nil, Self.isJSON(start) {
            self = try Self.ofJSON(path)
        } else if signature == nil, Self.isXML(start) {
            self = .cvat
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
                    + "(.csv), annotations of labelme, CVAT, Label Studio or YOLO, or an HDF5, NPY, NPZ or IDX file; this "
                    + "is none of them")
        }
    }

    /// Of a damaged HDF5 file the name may be all that tells.
    private static func isNamedHDF5(_ path: String) -> Bool {
        [".h5", ".hdf5", ".hdf"].contains { path.lowercased().hasSuffix($0) }
    }

    private static func isJSON(_ start: [UInt8]) -> Bool {
        [UInt8(ascii: "{"), UInt8(ascii: "[")].contains(start.first { !skipped.contains($0) })
    }

    /// Whether bytes begin as XML does.
    static func isXML(_ start: [UInt8]) -> Bool {
        start.first { !skipped.contains($0) } == UInt8(ascii: "<")
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
        case .labelme: "annotations of labelme"
        case .cvat: "annotations of CVAT"
        case .labelStudio: "an export of Label Studio"
        case .yolo: "labels of YOLO"
        }
    }
}
