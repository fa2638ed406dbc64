internal import RRDatasets
internal import RRFormats
internal import RRSchemas

/// Gathers the findings of one file.
struct FindingList {
    /// The examples that are listed of one kind of fault.
    static let exampleLimit = 10

    let path: String
    private(set) var findings: [Finding] = []

    init(path: String) {
        self.path = path
    }

    mutating func fault(
        _ code: Finding.Code, _ array: String? = nil, _ message: Message, repair: Repair? = nil
    ) {
        findings.append(
            Finding(code, .fault, at: Finding.Place(file: path, array: array), message, repair: repair))
    }

    mutating func warning(
        _ code: Finding.Code, _ array: String? = nil, _ message: Message, repair: Repair? = nil
    ) {
        findings.append(
            Finding(code, .warning, at: Finding.Place(file: path, array: array), message, repair: repair))
    }

    /// Adds what a file says of its images or masks that is not what was written.
    mutating func addChanges(in file: HDF5File) {
        // Without a version, which is reported as such, a file need not have digests.
        guard file.text("format_version") != nil else { return }
        do {
            for place in try ContentDigests(of: file)?.changedPlaces(in: file) ?? [] {
                let parts = place.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
                let subject = parts.count > 1 ? "the attribute \(parts[1])" : "the array"
                fault(
                    .changedContent, parts[0].isEmpty ? nil : String(parts[0]),
                    "\(subject) is not what was written: its digest is another, so the file was damaged or changed",
                    repair: .restoreFile)
            }
        } catch {
            fault(
                .changedContent, nil, (error as? any ExplainedError)?.explanation ?? Message("\(error)"),
                repair: .restoreFile)
        }
    }

    /// Adds what breaks a schema, each at the array that it is about.
    mutating func add(_ violations: [SchemaViolation], of schemaName: String) {
        for violation in violations {
            let steps = violation.path.split(separator: "/")
            let array = steps.count > 1 && steps[0] == "arrays" ? "/\(steps[1])" : nil
            let place = violation.path.isEmpty ? "the top" : violation.path
            fault(
                .schema, array,
                "\(violation.message) (\(schemaName) at \(place) of what `\(operation: .describeFile)` prints)"
            )
        }
    }
}

extension OperationName {
    fileprivate static let describeFile = OperationName("FileDescription")
}

/// Counts occurrences of one kind of fault and keeps the first few to show.
struct Examples {
    private(set) var count = 0
    private var texts: [String] = []

    mutating func add(_ text: @autoclosure () -> String) {
        count += 1
        if count <= FindingList.exampleLimit { texts.append(text()) }
    }

    /// `sample 3 has row 9, sample 5 has row −1, and 4 more`
    var summary: String {
        let rest = count - texts.count
        return texts.joined(separator: ", ") + (rest > 0 ? ", and \(rest) more" : "")
    }
}

/// The first questions to any file: is it HDF5, and is it what it was given as?
enum FormatCheck {
    /// Turns the failure to open a file into a finding.
    ///
    /// - Throws: the error itself where there is no such file.
    static func unreadable(_ error: FormatError, path: String) throws(FormatError) -> [Finding] {
        // A file that another program writes is not at fault.
        guard error.code != .inUse, error.code != .notFound || error.path != path else { throw error }
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
