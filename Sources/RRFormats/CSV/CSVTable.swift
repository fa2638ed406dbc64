/// A table of comma-separated values with a header (RFC 4180): quoted fields may hold commas, quotes and line ends.
///
/// Lines end with CR LF or LF. Empty lines and a byte order mark are passed over.
package struct CSVTable: Sendable {
    /// A record and the line that it begins on, from 1.
    package struct Record: Sendable, Equatable {
        package let line: Int
        package let fields: [String]
    }

    /// The names of the columns.
    package let header: [String]

    private let path: String
    private let bytes: [UInt8]
    private let start: Position

    private struct Position {
        var offset: Int
        var line: Int
    }

    /// Reads the header of a table.
    ///
    /// - Throws: `FormatError` where the file cannot be read, is empty, or names a column twice.
    package init(path: String) throws(FormatError) {
        self.path = path
        bytes = try FileBytes.read(path)
        var position = Position(offset: bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0, line: 1)
        guard let first = try Self.record(of: bytes, at: &position, path: path) else {
            throw FormatError(.malformed, path: path, "the table is empty; its first line names the columns")
        }
        for (column, name) in first.fields.enumerated() where first.fields[..<column].contains(name) {
            throw FormatError(
                .malformed, path: path, "line \(first.line): two columns have the name “\(name)”")
        }
        header = first.fields
        start = position
    }

    /// Calls a body with each record below the header.
    ///
    /// - Throws: `FormatError` with the code `malformed` and the line, where quotes are misplaced or a record has
    ///   another number of fields than the header; what the body throws.
    package func forEachRecord(_ body: (Record) throws -> Void) throws {
        var position = start
        while let record = try Self.record(of: bytes, at: &position, path: path) {
            guard record.fields.count == header.count else {
                throw FormatError(
                    .malformed, path: path,
                    "line \(record.line) has \(record.fields.count) fields, but the header names \(header.count) columns"
                )
            }
            try body(record)
        }
    }

    /// The next record that is no empty line; nil at the end.
    private static func record(
        of bytes: [UInt8], at position: inout Position, path: String
    ) throws(FormatError) -> Record? {
        while position.offset < bytes.count, let skipped = lineEnd(of: bytes, at: position.offset) {
            position.offset += skipped
            position.line += 1
        }
        guard position.offset < bytes.count else { return nil }
        let line = position.line
        var fields: [String] = []
        while true {
            let content = try field(of: bytes, at: &position, path: path)
            guard let text = String(validating: content, as: UTF8.self) else {
                throw FormatError(.malformed, path: path, "line \(line): a field is not UTF-8")
            }
            fields.append(text)
            guard position.offset < bytes.count else { break }
            if let end = lineEnd(of: bytes, at: position.offset) {
                position.offset += end
                position.line += 1
                break
            }
            // `field` stops only at the end, at a line's end and at a comma.
            position.offset += 1
        }
        return Record(line: line, fields: fields)
    }

    /// The bytes of a field, up to a comma, a line's end or the end.
    private static func field(
        of bytes: [UInt8], at position: inout Position, path: String
    ) throws(FormatError) -> [UInt8] {
        let quote = UInt8(ascii: "\"")
        guard position.offset < bytes.count, bytes[position.offset] == quote else {
            let start = position.offset
            while position.offset < bytes.count, !isEnd(of: bytes, at: position.offset) {
                guard bytes[position.offset] != quote else {
                    throw FormatError(
                        .malformed, path: path,
                        "line \(position.line): a quote stands inside a field that does not begin with one")
                }
                position.offset += 1
            }
            return Array(bytes[start..<position.offset])
        }
        let line = position.line
        var content: [UInt8] = []
        position.offset += 1
        while position.offset < bytes.count {
            let byte = bytes[position.offset]
            position.offset += 1
            if byte == quote {
                guard position.offset < bytes.count, bytes[position.offset] == quote else {
                    guard position.offset == bytes.count || isEnd(of: bytes, at: position.offset) else {
                        throw FormatError(
                            .malformed, path: path, "line \(position.line): text follows a closing quote")
                    }
                    return content
                }
                position.offset += 1
            } else if byte == UInt8(ascii: "\n") {
                position.line += 1
            }
            content.append(byte)
        }
        throw FormatError(.malformed, path: path, "line \(line): a quote is not closed")
    }

    private static func isEnd(of bytes: [UInt8], at offset: Int) -> Bool {
        bytes[offset] == UInt8(ascii: ",") || lineEnd(of: bytes, at: offset) != nil
    }

    /// The number of bytes of a line's end; nil where none is.
    private static func lineEnd(of bytes: [UInt8], at offset: Int) -> Int? {
        if bytes[offset] == UInt8(ascii: "\n") { return 1 }
        guard bytes[offset] == UInt8(ascii: "\r"), offset + 1 < bytes.count,
            bytes[offset + 1] == UInt8(ascii: "\n")
        else { return nil }
        return 2
    }
}
