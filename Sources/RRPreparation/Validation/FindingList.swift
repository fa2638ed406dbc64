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
