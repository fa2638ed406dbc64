internal import RRDatasets
package import RRFormats
package import RRSchemas
internal import RRTensor

/// What a file holds, as `rrdata info` tells it.
///
/// The JSON of a sound dataset or mask set fits `schemas/dataset.schema.json` or `schemas/masks.schema.json`;
/// that of a faulty one has what could be read.
package struct FileDescription: Sendable {
    package enum Kind: Sendable {
        case dataset
        case masks
        /// HDF5 of another program.
        case other
    }

    package let kind: Kind
    package let json: JSONValue

    /// Describes a file by its metadata; images and masks are not read.
    ///
    /// - Throws: `FormatError` with the code `notFound`, `cannotRead` or `malformed` where the file is no sound HDF5.
    package init(path: String) throws(FormatError) {
        let file = try HDF5File(reading: path)
        self.init(file: file, size: try InputFile(reading: path).size(), kind: nil)
    }

    /// - Parameter kind: what the file is taken for; nil for what it says of itself.
    init(file: HDF5File, size: Int, kind: Kind?) {
        let description = FileDescriber(file: file)
        let format = description.text("format")
        self.kind =
            kind ?? format.flatMap(FileFormat.init(rawValue:)).map { $0 == .dataset ? .dataset : .masks }
            ?? .other
        var members: [String: JSONValue] = ["path": .string(file.path), "file_bytes": .integer(size)]
        members["arrays"] = .object(description.arrays())
        switch self.kind {
        case .dataset:
            members.merge(description.header(format)) { _, new in new }
            members.merge(description.dataset()) { _, new in new }
        case .masks:
            members.merge(description.header(format)) { _, new in new }
            members.merge(description.masks()) { _, new in new }
        case .other:
            members["format"] = "hdf5"
        }
        json = .object(members)
    }
}
