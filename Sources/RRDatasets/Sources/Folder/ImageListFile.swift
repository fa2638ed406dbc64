internal import RRFormats
internal import RRSchemas

/// Reads `metadata.csv`, or `metadata.jsonl` with a JSON object a line, as Hugging Face's image folders have them.
enum ImageListFile {
    /// Calls a body with every row of a list.
    ///
    /// - Throws: `FormatError` where the file cannot be read; `DatasetError` with the code `badMetadata`, and what the
    ///   body throws.
    static func forEachRow(of path: String, _ body: (PNGMetadata.Row) throws -> Void) throws {
        if path.hasSuffix(".csv") {
            try forEachRecord(of: path, body)
        } else {
            try forEachLine(of: path, body)
        }
    }

    private static func forEachRecord(of path: String, _ body: (PNGMetadata.Row) throws -> Void) throws {
        let table = try CSVTable(path: path, wording: DatasetError.init)
        guard let fileName = try table.column("file_name") else {
            throw DatasetError(
                .badMetadata, path: path,
                "line 1: there is no column file_name, only \(table.header.joined(separator: ", "))")
        }
        let (label, split) = (try table.column("label"), try table.column("split"))
        let (mask, group) = (try table.column("mask_file_name"), try table.column("group"))
        try table.forEachRecord { record in
            try body(
                PNGMetadata.Row(
                    fileName: record.fields[fileName], label: label.map { record.fields[$0] },
                    split: split.map { record.fields[$0] }, group: group.map { record.fields[$0] },
                    maskFileName: mask.map { record.fields[$0] }, line: record.line))
        }
    }

    private static func forEachLine(of path: String, _ body: (PNGMetadata.Row) throws -> Void) throws {
        let bytes = try FileBytes.read(path)
        var number = 0
        for line in bytes.split(separator: 10, omittingEmptySubsequences: false) {
            number += 1
            guard line.contains(where: { ![9, 13, 32].contains($0) }) else { continue }
            func fault(_ message: String) -> DatasetError {
                DatasetError(.badMetadata, path: path, "line \(number): \(message)")
            }
            let object: JSONValue
            do {
                object = try JSONValue(parsing: String(decoding: line, as: UTF8.self))
            } catch {
                throw fault("this is no JSON: \(error)")
            }
            guard case .object = object else { throw fault("this is no JSON object") }
            func text(_ key: String) throws -> String? {
                switch object[key] {
                case nil, .null?: return nil
                case .string(let text)?: return text
                default: throw fault("\(key) is no text")
                }
            }
            var row = PNGMetadata.Row(line: number)
            row.fileName = try text("file_name")
            row.split = try text("split")
            row.maskFileName = try text("mask_file_name")
            if let group = object["group"], group.stringValue == nil, let whole = group.integerValue {
                row.group = String(whole)
            } else {
                row.group = try text("group")
            }
            switch object["label"] {
            case nil, .null?: break
            case .string(let name)?: row.label = name
            case .array?:
                throw fault(
                    "the label is a list; an image has one class here, so samples of several classes cannot be "
                        + "imported")
            case let label?:
                guard let whole = label.integerValue else {
                    throw fault("the label is neither a text nor a whole number")
                }
                row.label = String(whole)
            }
            try body(row)
        }
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
