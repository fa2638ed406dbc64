/// Takes the bytes of a table apart, record by record.
struct CSVReader {
    /// A longer record is refused, in bytes: a quote that is never closed makes one of the rest of a file, of which every
    /// comma would take sixteen bytes.
    static let largestRecord = 4 << 20

    private let bytes: [UInt8]
    private let delimiter: UInt8
    private let keepsSpaces: Bool
    private var offset: Int
    /// The line that `offset` is on, from 1.
    private var line = 1
    /// Where the record at hand must have ended.
    private var limit = 0

    /// - Parameter keepsSpaces: whether spaces around cells belong to them; else they do within quotes alone.
    init(_ bytes: [UInt8], delimiter: CSVDelimiter = .comma, keepsSpaces: Bool = false) {
        self.bytes = bytes
        self.delimiter = delimiter.rawValue
        self.keepsSpaces = keepsSpaces
        // A byte order mark, as spreadsheets write it.
        offset = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    }

    /// The next record that is no empty line; nil at the end.
    mutating func next() throws(CSVFault) -> CSVTable.Record? {
        while skipLineEnd() {}
        guard offset < bytes.count else { return nil }
        limit = min(bytes.count, offset + Self.largestRecord)
        let start = line
        var fields: [String] = []
        while true {
            let content = try field()
            guard offset < limit || limit == bytes.count else {
                throw CSVFault(line: start, kind: .longRecord(atLeast: Self.largestRecord))
            }
            guard let text = String(validating: content, as: UTF8.self) else {
                throw CSVFault(line: start, kind: .notText)
            }
            fields.append(text)
            if offset == bytes.count || skipLineEnd() { return CSVTable.Record(line: start, fields: fields) }
            // `field` stops only at the end, at a line's end and at a delimiter.
            offset += 1
        }
    }

    /// The bytes of a field, up to a delimiter, a line's end or the end.
    private mutating func field() throws(CSVFault) -> ArraySlice<UInt8> {
        skipSpaces()
        guard offset < bytes.count, bytes[offset] == Self.quote else {
            let start = offset
            while !isAtFieldEnd {
                guard bytes[offset] != Self.quote else { throw CSVFault(line: line, kind: .quoteInField) }
                offset += 1
            }
            var end = offset
            while !keepsSpaces, end > start, isSpace(bytes[end - 1]) { end -= 1 }
            return bytes[start..<end]
        }
        let start = line
        var content: [UInt8] = []
        offset += 1
        while offset < limit {
            let byte = bytes[offset]
            offset += 1
            if byte == Self.quote {
                guard offset < bytes.count, bytes[offset] == Self.quote else {
                    skipSpaces()
                    guard isAtFieldEnd else { throw CSVFault(line: line, kind: .textAfterQuote) }
                    return content[...]
                }
                offset += 1
            } else if byte == Self.lineFeed {
                line += 1
            }
            content.append(byte)
        }
        throw CSVFault(
            line: start, kind: limit < bytes.count ? .longRecord(atLeast: Self.largestRecord) : .openQuote)
    }

    private mutating func skipSpaces() {
        while !keepsSpaces, offset < bytes.count, isSpace(bytes[offset]) { offset += 1 }
    }

    private func isSpace(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || (byte == UInt8(ascii: "\t") && byte != delimiter)
    }

    private var isAtFieldEnd: Bool {
        guard offset < limit else { return true }
        let byte = bytes[offset]
        return byte == delimiter || byte == Self.lineFeed || byte == Self.carriageReturn
    }

    /// Goes past one end of a line; tells whether there was one.
    private mutating func skipLineEnd() -> Bool {
        guard offset < bytes.count, bytes[offset] == Self.lineFeed || bytes[offset] == Self.carriageReturn
        else {
            return false
        }
        let isPair =
            bytes[offset] == Self.carriageReturn && offset + 1 < bytes.count
            && bytes[offset + 1] == Self.lineFeed
        offset += isPair ? 2 : 1
        line += 1
        return true
    }

    private static let quote = UInt8(ascii: "\"")
    private static let lineFeed = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")
}
