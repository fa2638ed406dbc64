internal import RRFormats

/// Which list says what a folder's images are, and what its columns, or the members of its JSON lines, are called.
///
/// ```swift
/// var list = ImageListOptions()
/// list.path = "waterbirds/metadata.csv"
/// (list.fileName, list.label, list.group) = ("img_filename", ["y"], ["y", "place"])
/// list.splitNames = ["0": "train", "1": "val", "2": "test"]
/// ```
public struct ImageListOptions: Hashable, Sendable {
    /// The CSV or JSON lines file, whose paths are relative to the folder; nil for the folder's own `metadata.csv` or
    /// `metadata.jsonl`, or those of its splits.
    public var path: String?
    /// The column with the path of each image, with or without `.png`.
    public var fileName = "file_name"
    /// The column with each image's class; or several, of which just one is 1: their names are the classes then. Nil for
    /// `label` where there is such a column.
    public var label: [String]?
    /// Nil for `split` where there is such a column.
    public var split: String?
    /// The columns whose values together make a group, one or several; nil for `group` where there is such a column.
    public var group: [String]?
    /// Nil for `mask_file_name` where there is such a column.
    public var maskFileName: String?
    /// What the values of the split's column mean; empty where they are the names of the splits.
    public var splitNames: [String: String] = [:]

    public init() {}
}

/// The things that a list of images says of each, by its columns or members.
struct ImageListColumns {
    private let options: ImageListOptions
    /// Of what is not asked for by a name, what is there.
    private let label: [String]
    private let split: String?
    private let group: [String]
    private let maskFileName: String?

    /// - Parameters:
    ///   - mayLack: whether rows may lack what is asked for, as JSON lines may.
    ///   - exists: whether there is a column of a name.
    ///   - fault: makes the error for a column of a name that is not there.
    /// - Throws: what `fault` makes.
    init(
        _ options: ImageListOptions, mayLack: Bool, exists: (String) throws -> Bool,
        fault: (String) -> DatasetError
    ) throws {
        func names(_ wanted: [String]?, or usual: String) throws -> [String] {
            guard let wanted else { return try exists(usual) ? [usual] : [] }
            for name in wanted where try !mayLack && !exists(name) {
                throw fault(name)
            }
            return wanted
        }
        self.options = options
        guard try mayLack || exists(options.fileName) else {
            throw fault(options.fileName)
        }
        label = try names(options.label, or: "label")
        split = try names(options.split.map { [$0] }, or: "split").first
        group = try names(options.group, or: "group")
        maskFileName = try names(options.maskFileName.map { [$0] }, or: "mask_file_name").first
    }

    /// The columns that are looked at.
    var names: [String] {
        [options.fileName] + label + [split].compactMap(\.self) + group + [maskFileName].compactMap(\.self)
    }

    /// Whether a column names files.
    func namesFile(_ column: String) -> Bool { column == options.fileName || column == maskFileName }

    /// Takes one row apart.
    ///
    /// - Parameters:
    ///   - value: the text of a column; nil where it is missing.
    ///   - fault: makes the error for a value that has no sense.
    /// - Throws: what `value` throws and `fault` makes.
    func row(
        line: Int, fault: (Message) -> DatasetError, value: (String) throws -> String?
    ) throws -> PNGMetadata.Row {
        var row = PNGMetadata.Row(line: line)
        row.fileName = try value(options.fileName)
        row.label = try label.count > 1 ? oneHotLabel(fault, value) : label.first.flatMap { try value($0) }
        row.split = try split.flatMap { try value($0) }
        if !options.splitNames.isEmpty, let text = row.split {
            guard let name = options.splitNames[text] ?? options.splitNames[LabelTexts.withoutFraction(text)]
            else {
                throw fault("\(option: .splitValues) do not say which split “\(text)” is")
            }
            row.split = name
        }
        let parts = try group.map { ($0, try value($0) ?? "") }
        if parts.count > 1 {
            if let (name, _) = parts.first(where: { $0.1.isEmpty }) { throw fault("\(name) is empty") }
            row.group = parts.map { "\($0)=\($1)" }.joined(separator: ", ")
        } else {
            row.group = parts.first?.1
        }
        row.maskFileName = try maskFileName.flatMap { try value($0) }
        return row
    }

    /// The one column that is 1 where all others are 0.
    private func oneHotLabel(
        _ fault: (Message) -> DatasetError, _ value: (String) throws -> String?
    ) throws -> String {
        var found: [String] = []
        for name in label {
            let text = try value(name) ?? ""
            switch Double(text.trimming { $0 == " " }) {
            case 1: found.append(name)
            case 0: break
            default: throw fault("\(name) is “\(text)”; of several columns for the label each is 0 or 1")
            }
        }
        guard let name = found.first, found.count == 1 else {
            throw fault(
                found.isEmpty
                    ? "none of the \(label.count) columns for the label is 1; an image has one class"
                    : "\(found.joined(separator: ", ")) are 1; an image has one class here")
        }
        return name
    }
}

extension OptionName {
    static let columns = OptionName("columns")
    static let metadata = OptionName("metadata")
    static let splitValues = OptionName("splitValues")
}

extension String {
    fileprivate func trimming(_ isLeftOut: (Character) -> Bool) -> Substring {
        guard let first = firstIndex(where: { !isLeftOut($0) }),
            let last = lastIndex(where: { !isLeftOut($0) })
        else { return "" }
        return self[first...last]
    }
}
