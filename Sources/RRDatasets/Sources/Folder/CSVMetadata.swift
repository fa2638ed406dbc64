/// Reads `metadata.csv`: values separated by commas, in quotes where they hold commas, quotes or line ends (RFC 4180).
enum CSVMetadata {
    /// Calls a body with every row after the first, which names the columns.
    ///
    /// - Throws: `DatasetError` with the code `badMetadata`, and what the body throws.
    static func forEachRow(of bytes: [UInt8], path: String, _ body: (PNGMetadata.Row) throws -> Void) throws {
        var reader = CSVReader(bytes, path: path)
        guard let columns = try reader.nextRecord() else {
            throw DatasetError(.badMetadata, path: path, "the file is empty")
        }
        func column(_ name: String) throws -> Int? {
            let found = columns.indices.filter { columns[$0] == name }
            guard found.count < 2 else {
                throw DatasetError(.badMetadata, path: path, "line 1: there are two columns “\(name)”")
            }
            return found.first
        }
        guard let fileName = try column("file_name") else {
            throw DatasetError(
                .badMetadata, path: path,
                "line 1: there is no column file_name, only \(columns.joined(separator: ", "))")
        }
        let (label, split, mask) = (try column("label"), try column("split"), try column("mask_file_name"))
        let group = try column("group")
        while true {
            let line = reader.line
            guard let values = try reader.nextRecord() else { return }
            guard values.count == columns.count else {
                throw DatasetError(
                    .badMetadata, path: path,
                    "line \(line): there are \(values.count) values for \(columns.count) columns")
            }
            try body(
                PNGMetadata.Row(
                    fileName: values[fileName], label: label.map { values[$0] },
                    split: split.map { values[$0] }, group: group.map { values[$0] },
                    maskFileName: mask.map { values[$0] }, line: line))
        }
    }
}

/// Takes a CSV file apart, record by record.
private struct CSVReader {
    private let bytes: [UInt8]
    private let path: String
    private var position: Int
    /// The line that comes next, from 1.
    private(set) var line = 1

    init(_ bytes: [UInt8], path: String) {
        self.bytes = bytes
        self.path = path
        // A byte order mark, as spreadsheets write it.
        position = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    }

    private func fault(_ message: String) -> DatasetError {
        DatasetError(.badMetadata, path: path, "line \(line): \(message)")
    }

    /// The values of the next line that is not empty; nil at the end.
    mutating func nextRecord() throws -> [String]? {
        while position < bytes.count, bytes[position] == 10 || bytes[position] == 13 { skipLineEnd() }
        guard position < bytes.count else { return nil }
        var values: [String] = []
        while true {
            values.append(try nextValue())
            guard position < bytes.count else { return values }
            if bytes[position] == UInt8(ascii: ",") {
                position += 1
            } else {
                skipLineEnd()
                return values
            }
        }
    }

    private mutating func skipLineEnd() {
        if bytes[position] == 13, position + 1 < bytes.count, bytes[position + 1] == 10 { position += 1 }
        position += 1
        line += 1
    }

    private mutating func nextValue() throws -> String {
        guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
            let start = position
            while position < bytes.count, ![10, 13, UInt8(ascii: ",")].contains(bytes[position]) {
                guard bytes[position] != UInt8(ascii: "\"") else {
                    throw fault("a quote inside a value that is not in quotes")
                }
                position += 1
            }
            return try text(bytes[start..<position])
        }
        position += 1
        let firstLine = line
        var value: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if byte == UInt8(ascii: "\"") {
                guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
                    guard position == bytes.count || [10, 13, UInt8(ascii: ",")].contains(bytes[position])
                    else { throw fault("text after a closing quote") }
                    return try text(value[...])
                }
                position += 1
            } else if byte == 10 {
                line += 1
            }
            value.append(byte)
        }
        line = firstLine
        throw fault("a quote that is not closed")
    }

    private func text(_ value: ArraySlice<UInt8>) throws -> String {
        guard let text = String(validating: value, as: UTF8.self) else {
            throw fault("text that is not UTF-8")
        }
        return text
    }
}
