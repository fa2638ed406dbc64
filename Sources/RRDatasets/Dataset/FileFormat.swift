internal import RRFormats

/// The HDF5 files that are ours, as their root attributes `format` and `format_version` name them.
package enum FileFormat: String, Sendable {
    case dataset = "rrdata.dataset"
    case masks = "rrdata.masks"

    /// The version that is written: 1.1 has digests, the sizes of images before they were resized, and checksums of masks.
    package static let version = "1.1"
    /// The version's part before the dot; nil where the text is no version.
    package static func majorVersion(of version: String) -> Int? {
        let parts = version.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, Int(parts[1]) != nil else { return nil }
        return Int(parts[0])
    }

    /// `a dataset`
    package var article: String {
        switch self {
        case .dataset: "a dataset"
        case .masks: "a mask set"
        }
    }

    /// Checks that an open file is of this format, in a version that is read.
    ///
    /// - Throws: `DatasetError` with the code `wrongFormat` or `unsupportedVersion`; `FormatError`.
    func check(_ file: HDF5File) throws {
        guard case .string(let name)? = try file.attribute("format") else {
            throw DatasetError(
                .wrongFormat, path: file.path,
                "the file is HDF5, but no \(rawValue): it has no attribute “format”. "
                    + "`\(operation: .importArrays)` makes a dataset of any HDF5 file's arrays")
        }
        guard name == rawValue else {
            let found = FileFormat(rawValue: name).map { "\($0.article) (\(name))" } ?? "“\(name)”"
            throw DatasetError(
                .wrongFormat, path: file.path, "this is \(found), not \(article) (\(rawValue))")
        }
        guard case .string(let version)? = try file.attribute("format_version") else {
            throw DatasetError(
                .unsupportedVersion, path: file.path, "the attribute “format_version” is missing")
        }
        guard Self.majorVersion(of: version) == 1 else {
            throw DatasetError(
                .unsupportedVersion, path: file.path,
                "the file has the format version “\(version)”; this release reads version 1")
        }
    }
}
