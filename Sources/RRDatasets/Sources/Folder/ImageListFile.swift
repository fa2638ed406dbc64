internal import RRFormats
internal import RRSchemas

/// Reads `metadata.csv`, or `metadata.jsonl` with a JSON object a line, as Hugging Face's image folders have them.
enum ImageListFile {
    /// Calls a body with every row of a list.
    ///
    /// - Parameters:
    ///   - columns: what the columns of the table, or the members of the JSON lines, are called.
    ///   - trustsLinks: whether what stands beside the list may be a symbolic link that leads elsewhere.
    /// - Returns: what a user should know of how the list was read.
    /// - Throws: `FormatError` where the file cannot be read; `DatasetError` with the code `badMetadata`, and what the
    ///   body throws.
    static func forEachRow(
        of path: String, columns: ImageListOptions, trustsLinks: Bool,
        _ body: (PNGMetadata.Row) throws -> Void
    ) throws -> [Message] {
        if try hasLinesOfJSON(path) {
            try forEachLine(of: path, columns, body)
            return []
        }
        return try forEachRecord(of: path, columns, trustsLinks: trustsLinks, body)
    }

    /// Tells JSON lines by the name of the file; what a pipe brings, which has none, by how it begins.
    private static func hasLinesOfJSON(_ path: String) throws(FormatError) -> Bool {
        guard FileTree.kind(of: path) == .pipe else {
            return path.hasSuffix(".jsonl") || path.hasSuffix(".ndjson")
        }
        let start = try FileBytes.read(path, prefix: 64, takesPipe: true)
        return start.first { ![9, 10, 13, 32].contains($0) } == UInt8(ascii: "{")
    }

    private static func forEachRecord(
        of path: String, _ options: ImageListOptions, trustsLinks: Bool,
        _ body: (PNGMetadata.Row) throws -> Void
    ) throws -> [Message] {
        // What an export of ours says is taken to the letter: its class may be called “nan”.
        let (name, folder) = path.nameAndFolder
        let isExport = try ExportMark.members(of: folder, trustsLinks: trustsLinks) != nil
        let table = try CSVTable(path: path, keepsSpaces: isExport, wording: DatasetError.init)
        let columns = try ImageListColumns(options, mayLack: false) {
            try table.column($0) != nil
        } fault: {
            DatasetError(
                .badMetadata, path: path,
                "line 1: there is no column \($0), only \(table.header.joined(separator: ", ")); \(option: .columns) "
                    + "file=…,label=… says which column is what"
                    + NearestNames(to: $0, among: table.header).question)
        }
        // A handful of short names, sooner compared than hashed.
        let positions = try columns.names.compactMap { name in try table.column(name).map { (name, $0) } }
        try table.forEachRecord { record in
            var row = try columns.row(
                line: record.line,
                fault: { DatasetError(.badMetadata, path: path, "line \(record.line): " + $0) },
                value: { column in
                    positions.first { $0.0 == column }.map { _, position in
                        isExport ? record.fields[position] : CSVCell.value(record.fields[position]) ?? ""
                    }
                })
            if !isExport { row.group = row.group.map(LabelTexts.withoutFraction) }
            try body(row)
        }
        guard table.delimiter != .comma else { return [] }
        return ["\(name): values are separated by \(table.delimiter.name)"]
    }

    /// The longest line of JSON that is read, in bytes: made to values it takes thirty times as many.
    private static let largestLine = 4 << 20

    private static func forEachLine(
        of path: String, _ options: ImageListOptions, _ body: (PNGMetadata.Row) throws -> Void
    ) throws {
        let bytes = try FileBytes.read(path, takesPipe: true)
        var number = 0
        for line in bytes.split(separator: 10, omittingEmptySubsequences: false) {
            number += 1
            guard line.contains(where: { ![9, 13, 32].contains($0) }) else { continue }
            func fault(_ message: Message) -> DatasetError {
                DatasetError(.badMetadata, path: path, "line \(number): " + message)
            }
            guard line.count <= largestLine else {
                throw fault("it has \(line.count) bytes; lines of at most \(largestLine) are read")
            }
            let object: JSONValue
            do {
                object = try JSONValue(parsing: String(decoding: line, as: UTF8.self))
            } catch {
                throw fault("this is no JSON: \(error)")
            }
            guard case .object(let members) = object else { throw fault("this is no JSON object") }
            let columns = try ImageListColumns(
                options, mayLack: true, exists: { members[$0] != nil },
                fault: { fault("there is no column \($0)") })
            let row = try columns.row(line: number, fault: fault) {
                try text(of: members[$0], $0, isPath: columns.namesFile($0), fault)
            }
            try body(row)
        }
    }

    /// The text of a member: numbers as their digits, true and false as 1 and 0.
    private static func text(
        of value: JSONValue?, _ name: String, isPath: Bool, _ fault: (Message) -> DatasetError
    ) throws -> String? {
        switch value {
        case nil, .null?: return nil
        case .string(let text)?: return text
        case _? where isPath: throw fault("\(name) is no text")
        case .bool(let truth)?: return truth ? "1" : "0"
        case .array?:
            throw fault(
                "the \(name) is a list; an image has one class here, so samples of several classes cannot be imported"
            )
        case let number?:
            guard let whole = number.integerValue else {
                throw fault("the \(name) is neither a text nor a whole number")
            }
            return String(whole)
        }
    }
}

extension String {
    /// The last part of a path, and what stands before it.
    fileprivate var nameAndFolder: (name: String, folder: String) {
        guard let slash = lastIndex(of: "/") else { return (self, ".") }
        return (String(self[index(after: slash)...]), String(self[..<slash]))
    }
}

extension DatasetError {
    /// Says what is wrong with a list of images that is a table.
    fileprivate init(_ fault: CSVFault, path: String) {
        let message =
            switch fault.kind {
            case .empty: "the file is empty"
            case .repeatedColumn(let name): "line \(fault.line): there are two columns “\(name)”"
            case .fieldCount(let count, let columns):
                "line \(fault.line): there are \(count) values for \(columns) columns"
            case .quoteInField: "line \(fault.line): a quote inside a value that is not in quotes"
            case .textAfterQuote: "line \(fault.line): text after a closing quote"
            case .openQuote: "line \(fault.line): a quote that is not closed"
            case .notText: "line \(fault.line): text that is not UTF-8"
            case .longRecord(let size):
                "line \(fault.line): a record of \(size) bytes or more, the most that is read; is a quote not closed?"
            }
        self.init(.badMetadata, path: path, message)
    }
}

/// The column `group` of a list of images, as it is read.
struct PNGGroupColumn {
    /// By bytes: to Swift, two strings that differ only in their Unicode normalisation are equal.
    private var numbers: [[UInt8]: Int] = [:]
    private var names: [String] = []
    private var values: [Int] = []

    /// Adds the next image's group.
    ///
    /// - Parameters:
    ///   - name: nil or empty where the image has none.
    ///   - count: the number of images before.
    /// - Returns: whether every image so far has a group, or none has.
    mutating func add(_ name: String?, after count: Int) -> Bool {
        guard let name, !name.isEmpty else { return values.isEmpty }
        guard values.count == count else { return false }
        let bytes = Array(name.utf8)
        let number = numbers[bytes] ?? names.count
        if number == names.count {
            numbers[bytes] = number
            names.append(name)
        }
        values.append(number)
        return true
    }

    /// The groups of the images in an order; nil where there are none.
    ///
    /// Where all names are whole numbers they are the groups' numbers; else the names are sorted by their bytes.
    func groups(inOrder order: [Int]) -> SampleGroups? {
        guard !values.isEmpty else { return nil }
        if let bare = bareNumbers {
            return SampleGroups(numbers: order.map { bare[values[$0]] }, names: nil)
        }
        let sorted = names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        return groups(named: sorted, inOrder: order)
    }

    /// The groups with the names that an export gives them, nil for bare numbers; nil where they do not fit.
    func groups(ofExportNaming exported: [String]?) -> SampleGroups? {
        let order = Array(values.indices)
        guard let exported else {
            return bareNumbers.map { bare in SampleGroups(numbers: values.map { bare[$0] }, names: nil) }
        }
        return groups(named: exported, inOrder: order)
    }

    /// Whether no image has a group.
    var isEmpty: Bool { values.isEmpty }

    private func groups(named list: [String], inOrder order: [Int]) -> SampleGroups? {
        let known = Dictionary(list.enumerated().map { (Array($1.utf8), $0) }) { first, _ in first }
        let places = names.compactMap { known[Array($0.utf8)] }
        guard places.count == names.count else { return nil }
        return SampleGroups(numbers: order.map { places[values[$0]] }, names: list)
    }

    private var bareNumbers: [Int]? {
        let bare = names.compactMap { Int($0) }.filter { 0...Dataset.largestBareLabel ~= $0 }
        return bare.count == names.count ? bare : nil
    }
}
