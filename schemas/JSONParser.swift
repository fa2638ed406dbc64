extension JSONValue {
    /// The deepest nesting of arrays and objects that is read.
    ///
    /// It bounds the stack that a hostile text can ask for.
    public static let maximumDepth = 256

    /// Parses a JSON text (RFC 8259), strictly: no comments, no trailing commas, no repeated keys.
    ///
    /// - Throws: `JSONError` with the line and column of the first fault.
    public init(parsing text: String) throws(JSONError) {
        try self.init(parsing: Array(text.utf8))
    }

    /// Parses the UTF-8 bytes of a JSON text (RFC 8259); a byte order mark is skipped.
    ///
    /// - Throws: `JSONError` with the line and column of the first fault.
    public init(parsing bytes: [UInt8]) throws(JSONError) {
        var parser = JSONParser(bytes: bytes)
        self = try parser.parseDocument()
    }
}

/// A recursive descent over the bytes of a JSON text.
///
/// It makes a value of the whole, or lets the caller walk through a text that is too large for that: see
/// `readMembers`, `readElements`, `readValue` and `skipValue`.
package struct JSONParser {
    /// Whether `NaN`, `Infinity` and numbers that no double holds are read as such and not refused: Python's `json`
    /// writes them, and a caller may know better where they stand.
    package let allowsNonFinite: Bool
    let bytes: [UInt8]
    /// Where the text ends among the bytes.
    let end: Int
    /// The byte that is read next.
    package internal(set) var position: Int
    /// The number of arrays and objects that are open.
    var depth = 0

    /// - Parameter position: the first byte of a value; 0 for the beginning, where a byte order mark is skipped.
    package init(bytes: [UInt8], position: Int = 0, allowsNonFinite: Bool = false) {
        self.bytes = bytes
        self.allowsNonFinite = allowsNonFinite
        end = bytes.count
        self.position = position == 0 && bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : position
    }

    /// - Parameter range: where the text stands among the bytes, none of which is copied.
    package init(bytes: [UInt8], range: Range<Int>) {
        self.bytes = bytes
        allowsNonFinite = false
        end = range.upperBound
        position = range.lowerBound
    }

    mutating func parseDocument() throws(JSONError) -> JSONValue {
        let value = try readValue()
        try readEnd()
        return value
    }

    var current: UInt8? { position < end ? bytes[position] : nil }

    func error(_ message: String, at offset: Int? = nil) -> JSONError {
        let before = bytes[..<min(offset ?? position, end)]
        let newline = UInt8(ascii: "\n")
        let lineStart = before.lastIndex(of: newline).map { $0 + 1 } ?? 0
        return JSONError(
            line: before.count { $0 == newline } + 1, column: before.endIndex - lineStart + 1,
            message: message)
    }

    mutating func skipWhitespace() {
        while position < end {
            let byte = bytes[position]
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
            position += 1
        }
    }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard current == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func parseWord() throws(JSONError) -> JSONValue {
        let words: [(String, JSONValue)] = [("null", .null), ("true", .bool(true)), ("false", .bool(false))]
        for (word, value) in words where skip(word) { return value }
        if allowsNonFinite {
            if skip("NaN") { return .number(.nan) }
            if skip("Infinity") { return .number(.infinity) }
        }
        throw error("expected a value")
    }

    private mutating func skip(_ word: String) -> Bool {
        guard bytes[position..<end].starts(with: word.utf8) else { return false }
        position += word.utf8.count
        return true
    }
}

extension JSONParser {
    /// Reads a value.
    ///
    /// - Throws: `JSONError` with the line and column of the first fault.
    package mutating func readValue() throws(JSONError) -> JSONValue {
        skipWhitespace()
        guard let first = current else { throw error("a value is missing: the text ends here") }
        switch first {
        case UInt8(ascii: "{"):
            var members: [String: JSONValue] = [:]
            try readObject { (key, start, parser) throws(JSONError) in
                guard members[key] == nil else {
                    throw parser.error("the key \"\(key)\" is given twice", at: start)
                }
                members[key] = try parser.readValue()
            }
            return .object(members)
        case UInt8(ascii: "["):
            var elements: [JSONValue] = []
            try readArray { (parser) throws(JSONError) in elements.append(try parser.readValue()) }
            return .array(elements)
        case UInt8(ascii: "\""): return .string(try parseString())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try parseNumber()
        default: return try parseWord()
        }
    }

    /// Goes past white space; tells whether nothing follows it.
    package mutating func isAtEnd() -> Bool {
        skipWhitespace()
        return position == end
    }

    /// Reads what may stand behind the last value: nothing but white space.
    package mutating func readEnd() throws(JSONError) {
        guard isAtEnd() else { throw error("there is text after the end of the value") }
    }

    /// Calls a body for each element of an array; it must read or skip that element's value, no more and no less.
    @inline(__always)
    mutating func readArray(_ body: (inout JSONParser) throws(JSONError) -> Void) throws(JSONError) {
        try open()
        if !skip("]") {
            while true {
                try body(&self)
                skipWhitespace()
                if skip("]") { break }
                guard skip(",") else { throw error("expected ',' or ']' in an array") }
            }
        }
        depth -= 1
    }

    /// Calls a body with the key of each member of an object and the key's place; it must read or skip that member's
    /// value, no more and no less.
    @inline(__always)
    mutating func readObject(
        _ body: (String, Int, inout JSONParser) throws(JSONError) -> Void
    ) throws(JSONError) {
        try open()
        if !skip("}") {
            while true {
                skipWhitespace()
                let start = position
                guard current == UInt8(ascii: "\"") else { throw error("expected a key in quotes") }
                let key = try parseString()
                skipWhitespace()
                guard skip(":") else { throw error("expected ':' after the key \"\(key)\"") }
                try body(key, start, &self)
                skipWhitespace()
                if skip("}") { break }
                guard skip(",") else { throw error("expected ',' or '}' in an object") }
            }
        }
        depth -= 1
    }

    private mutating func open() throws(JSONError) {
        depth += 1
        guard depth <= JSONValue.maximumDepth else {
            throw error("arrays and objects are nested more than \(JSONValue.maximumDepth) deep")
        }
        position += 1
        skipWhitespace()
    }
}

/// A text that is not JSON.
public struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The line of the fault, from 1.
    public let line: Int
    /// The byte of the fault in its line, from 1.
    public let column: Int
    /// What is wrong.
    public let message: String

    /// `line 3, column 14: a string is not closed`
    public var description: String { "line \(line), column \(column): \(message)" }
}
