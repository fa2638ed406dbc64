/// A table of separated values with a header (RFC 4180): quoted fields may hold delimiters, quotes and line ends.
///
/// Fields are separated by commas, semicolons, tabs or vertical bars, as the file shows. Lines end with CR LF, LF or CR.
/// Passed over are lines without a character or with empty fields alone, a byte order mark, and spaces around fields and
/// around the names of columns.
package struct CSVTable {
    /// A record and the line that it begins on, from 1.
    package struct Record: Sendable, Equatable {
        package let line: Int
        package let fields: [String]
    }

    /// The names of the columns; of those that nobody asks for, two may be equal.
    package var header: [String] { names.fields }

    /// What separates the fields.
    package let delimiter: CSVDelimiter

    private let names: Record
    private let path: String
    private let wording: Wording
    private let records: CSVReader

    /// Says what is wrong with the table at a path.
    package typealias Wording = (CSVFault, _ path: String) -> any Error

    /// Reads the header of a table.
    ///
    /// - Parameters:
    ///   - keepsSpaces: whether spaces around fields and names belong to them, as a program wrote them.
    ///   - wording: makes the errors of a table that is malformed; `FormatError` of the code `malformed` if nothing else
    ///     is asked for.
    /// - Throws: `FormatError` where the file cannot be read; what `wording` makes where it is malformed or empty.
    package init(
        path: String, keepsSpaces: Bool = false, wording: @escaping Wording = FormatError.init
    ) throws {
        self.path = path
        self.wording = wording
        let bytes = CSVText.utf8(of: try FileBytes.read(path, takesPipe: true))
        delimiter = CSVDelimiter(of: bytes)
        var records = CSVReader(bytes, delimiter: delimiter, keepsSpaces: keepsSpaces)
        let names: Record?
        do {
            names = try records.next()
        } catch {
            throw wording(error, path)
        }
        guard let names else { throw wording(CSVFault(line: 1, kind: .empty), path) }
        self.names =
            keepsSpaces ? names : Record(line: names.line, fields: names.fields.map(CSVCell.trimmed))
        self.records = records
    }

    /// The position of a column among the fields; nil where there is none of the name.
    ///
    /// - Throws: what `wording` makes where there are two.
    package func column(_ name: String) throws -> Int? {
        let found = header.indices.filter { header[$0] == name }
        guard found.count < 2 else {
            throw wording(CSVFault(line: names.line, kind: .repeatedColumn(name)), path)
        }
        return found.first
    }

    /// Calls a body with each record below the header.
    ///
    /// - Throws: what `wording` makes where quotes are misplaced, a field is not UTF-8, or a record has another number
    ///   of fields than the header; what the body throws.
    package func forEachRecord(_ body: (Record) throws -> Void) throws {
        var records = records
        while let record = try next(of: &records) {
            guard record.fields.count == header.count else {
                let kind = CSVFault.Kind.fieldCount(record.fields.count, columns: header.count)
                throw wording(CSVFault(line: record.line, kind: kind), path)
            }
            // Spreadsheets write such lines for cells that were emptied.
            guard header.count == 1 || record.fields.contains(where: { !$0.isEmpty }) else { continue }
            try body(record)
        }
    }

    private func next(of records: inout CSVReader) throws -> Record? {
        do {
            return try records.next()
        } catch {
            throw wording(error, path)
        }
    }
}

/// A defect of a table, and its line.
package struct CSVFault: Error, Sendable {
    package enum Kind: Sendable {
        case empty
        case repeatedColumn(String)
        case fieldCount(Int, columns: Int)
        case quoteInField
        case textAfterQuote
        case openQuote
        case notText
        case longRecord(atLeast: Int)
    }

    /// The line, from 1.
    package let line: Int
    package let kind: Kind
}

extension FormatError {
    /// Says what is wrong with a table.
    package init(_ fault: CSVFault, path: String) {
        let message =
            switch fault.kind {
            case .empty: "the table is empty; its first line names the columns"
            case .repeatedColumn(let name): "line \(fault.line): two columns have the name “\(name)”"
            case .fieldCount(let count, let columns):
                "line \(fault.line) has \(count) fields, but the header names \(columns) columns"
            case .quoteInField:
                "line \(fault.line): a quote stands inside a field that does not begin with one"
            case .textAfterQuote: "line \(fault.line): text follows a closing quote"
            case .openQuote: "line \(fault.line): a quote is not closed"
            case .notText: "line \(fault.line): a field is not UTF-8"
            case .longRecord(let size):
                "line \(fault.line): a record of \(size) bytes or more, the most that is read; is a quote not closed?"
            }
        self.init(.malformed, path: path, message)
    }
}
