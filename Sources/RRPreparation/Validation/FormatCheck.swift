internal import RRDatasets
internal import RRFormats

/// The first questions to any file: is it HDF5, and is it what it was given as?
enum FormatCheck {
    /// Turns the failure to open a file into a finding.
    ///
    /// - Throws: the error itself where there is no such file.
    static func unreadable(_ error: FormatError, path: String) throws(FormatError) -> [Finding] {
        guard error.code != .notFound || error.path != path else { throw error }
        return [
            Finding(
                .unreadableFile, .fault, at: Finding.Place(error.path, in: path), error.message,
                repair: .restoreFile)
        ]
    }

    /// Checks the format and its version.
    ///
    /// - Parameter evidence: the array that shows what a file without the attribute was meant to be.
    /// - Returns: whether the rest of the file is worth a look.
    static func run(
        _ format: FileFormat, of file: HDF5File, evidence: String, into list: inout FindingList
    ) -> Bool {
        guard let name = file.text("format") else {
            list.fault(
                .wrongFormat, nil,
                "the file is HDF5, but does not say that it is \(format.article): its attribute “format” is missing",
                repair: .importArrays(path: file.path))
            return file.exists(evidence)
        }
        guard name == format.rawValue else {
            let found = FileFormat(rawValue: name).map { "\($0.article) (\(name))" } ?? "“\(name)”"
            list.fault(
                .wrongFormat, nil, "this is \(found), not \(format.article) (\(format.rawValue))",
                repair: .giveDatasetFirst)
            return false
        }
        if let version = file.text("format_version"), FileFormat.majorVersion(of: version) != 1 {
            list.fault(
                .unsupportedVersion, nil, "the format version is “\(version)”; this release reads version 1",
                repair: .useNewerRelease)
            return false
        }
        return true
    }
}
