internal import RRSchemas

/// Reads `metadata.jsonl`: a JSON object a line.
enum JSONLinesMetadata {
    /// Calls a body with every line that is not empty.
    ///
    /// - Throws: `DatasetError` with the code `badMetadata`, and what the body throws.
    static func forEachRow(of bytes: [UInt8], path: String, _ body: (PNGMetadata.Row) throws -> Void) throws {
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
