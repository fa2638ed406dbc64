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
                code: .unreadableFile, severity: .fault, path: error.path, message: error.message,
                remedy: "copy or import the file anew")
        ]
    }

    /// Checks the format and its version.
    ///
    /// - Parameter evidence: the array that shows what a file without the attribute was meant to be.
    /// - Returns: whether the rest of the file is worth a look.
    static func run(
        _ format: FileFormat, of file: HDF5File, evidence: String, into list: inout FindingList
    ) -> Bool {
        let describer = FileDescriber(file: file)
        guard let name = describer.text("format") else {
            list.fault(
                .wrongFormat, nil,
                "the file is HDF5, but does not say that it is \(format.article): its attribute “format” is missing",
                remedy: "rrdata import hdf5 \(file.path) makes datasets and mask sets of any arrays")
            return file.exists(evidence)
        }
        guard name == format.rawValue else {
            let found = FileFormat(rawValue: name).map { "\($0.article) (\(name))" } ?? "“\(name)”"
            list.fault(
                .wrongFormat, nil, "this is \(found), not \(format.article) (\(format.rawValue))",
                remedy: "rrdata validate D.h5 [M.h5 …] takes the dataset first, then its mask sets")
            return false
        }
        if let version = describer.text("format_version"), FileFormat.majorVersion(of: version) != 1 {
            list.fault(
                .unsupportedVersion, nil, "the format version is “\(version)”; this release reads version 1",
                remedy: "use a newer release of rrdata")
            return false
        }
        return true
    }
}
