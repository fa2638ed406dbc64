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
private struct JSONParser {
    let bytes: [UInt8]
    var position = 0

    init(bytes: [UInt8]) {
        self.bytes = bytes
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    }

    mutating func parseDocument() throws(JSONError) -> JSONValue {
        let value = try parseValue(depth: 0)
        skipWhitespace()
        guard position == bytes.count else { throw error("there is text after the end of the value") }
        return value
    }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private func error(_ message: String, at offset: Int? = nil) -> JSONError {
        let before = bytes[..<min(offset ?? position, bytes.count)]
        let newline = UInt8(ascii: "\n")
        let lineStart = before.lastIndex(of: newline).map { $0 + 1 } ?? 0
        return JSONError(
            line: before.count { $0 == newline } + 1, column: before.endIndex - lineStart + 1,
            message: message)
    }

    private mutating func skipWhitespace() {
        while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            position += 1
        }
    }

    private mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard current == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func parseValue(depth: Int) throws(JSONError) -> JSONValue {
        skipWhitespace()
        guard let first = current else { throw error("a value is missing: the text ends here") }
        switch first {
        case UInt8(ascii: "{"): return try parseObject(depth: depth + 1)
        case UInt8(ascii: "["): return try parseArray(depth: depth + 1)
        case UInt8(ascii: "\""): return .string(try parseString())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try parseNumber()
        default: return try parseWord()
        }
    }

    private mutating func parseWord() throws(JSONError) -> JSONValue {
        let words: [(String, JSONValue)] = [("null", .null), ("true", .bool(true)), ("false", .bool(false))]
        for (word, value) in words where bytes[position...].starts(with: word.utf8) {
            position += word.utf8.count
            return value
        }
        throw error("expected a value")
    }

    private mutating func parseArray(depth: Int) throws(JSONError) -> JSONValue {
        guard depth <= JSONValue.maximumDepth else { throw tooDeep() }
        position += 1
        skipWhitespace()
        var elements: [JSONValue] = []
        if skip("]") { return .array(elements) }
        while true {
            elements.append(try parseValue(depth: depth))
            skipWhitespace()
            if skip("]") { return .array(elements) }
            guard skip(",") else { throw error("expected ',' or ']' in an array") }
        }
    }

    private mutating func parseObject(depth: Int) throws(JSONError) -> JSONValue {
        guard depth <= JSONValue.maximumDepth else { throw tooDeep() }
        position += 1
        skipWhitespace()
        var members: [String: JSONValue] = [:]
        if skip("}") { return .object(members) }
        while true {
            skipWhitespace()
            let start = position
            guard current == UInt8(ascii: "\"") else { throw error("expected a key in quotes") }
            let key = try parseString()
            guard members[key] == nil else { throw error("the key \"\(key)\" is given twice", at: start) }
            skipWhitespace()
            guard skip(":") else { throw error("expected ':' after the key \"\(key)\"") }
            members[key] = try parseValue(depth: depth)
            skipWhitespace()
            if skip("}") { return .object(members) }
            guard skip(",") else { throw error("expected ',' or '}' in an object") }
        }
    }

    private func tooDeep() -> JSONError {
        error("arrays and objects are nested more than \(JSONValue.maximumDepth) deep")
    }

    private mutating func parseNumber() throws(JSONError) -> JSONValue {
        let start = position
        _ = skip("-")
        let leadingZero = current == UInt8(ascii: "0")
        let whole = skipDigits()
        guard whole > 0, !(leadingZero && whole > 1) else { throw error("a number is malformed", at: start) }
        var isInteger = true
        if skip(".") {
            isInteger = false
            guard skipDigits() > 0 else { throw error("a number is malformed", at: start) }
        }
        if skip("e") || skip("E") {
            isInteger = false
            if !skip("+") { _ = skip("-") }
            guard skipDigits() > 0 else { throw error("a number is malformed", at: start) }
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isInteger, let integer = Int(text) { return text == "-0" ? .number(-0.0) : .integer(integer) }
        guard let number = Double(text), number.isFinite else {
            throw error("a number is larger than a double can hold", at: start)
        }
        return .number(number)
    }

    private mutating func skipDigits() -> Int {
        let start = position
        while let byte = current, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { position += 1 }
        return position - start
    }

    private mutating func parseString() throws(JSONError) -> String {
        let start = position
        position += 1
        var content: [UInt8] = []
        while let byte = current {
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: content, as: UTF8.self) else {
                    throw error("a string is not UTF-8", at: start)
                }
                return string
            case UInt8(ascii: "\\"):
                try parseEscape(into: &content)
            case 0..<0x20:
                throw error("a string holds a control character that is not escaped", at: position - 1)
            default:
                content.append(byte)
            }
        }
        throw error("a string is not closed", at: start)
    }

    private mutating func parseEscape(into content: inout [UInt8]) throws(JSONError) {
        let start = position - 1
        let escapes: [(Unicode.Scalar, UInt8)] = [
            ("\"", 0x22), ("\\", 0x5C), ("/", 0x2F), ("b", 0x08), ("f", 0x0C), ("n", 0x0A), ("r", 0x0D),
            ("t", 0x09),
        ]
        for (character, byte) in escapes where skip(character) {
            content.append(byte)
            return
        }
        guard skip("u"), var code = parseHexadecimal() else {
            throw error("an escape is malformed", at: start)
        }
        if 0xD800..<0xDC00 ~= code, skip("\\"), skip("u"), let low = parseHexadecimal(),
            0xDC00..<0xE000 ~= low
        {
            code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(code) else {
            throw error("an escape is half of a surrogate pair", at: start)
        }
        content.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    }

    private mutating func parseHexadecimal() -> UInt32? {
        guard bytes.count - position >= 4 else { return nil }
        var code: UInt32 = 0
        for byte in bytes[position..<position + 4] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else { return nil }
            code = code << 4 | UInt32(digit)
        }
        position += 4
        return code
    }
}
