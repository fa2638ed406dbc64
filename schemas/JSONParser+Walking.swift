extension JSONParser {
    /// Whether the next value is an array, an object, a string; all are false at the end.
    package mutating func nextIsArray() -> Bool { nextIs(UInt8(ascii: "[")) }
    package mutating func nextIsObject() -> Bool { nextIs(UInt8(ascii: "{")) }
    package mutating func nextIsString() -> Bool { nextIs(UInt8(ascii: "\"")) }

    /// Whether the next value is `null`.
    package mutating func nextIsNull() -> Bool { nextIs(UInt8(ascii: "n")) }

    /// Whether the next value is a number of at least 0.
    package mutating func nextIsDigit() -> Bool {
        skipWhitespace()
        return current.map { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 } ?? false
    }

    /// Goes past an array that is empty; tells whether there was one.
    package mutating func skipEmptyArray() -> Bool {
        guard nextIsArray() else { return false }
        position += 1
        skipWhitespace()
        return skip("]")
    }

    private mutating func nextIs(_ byte: UInt8) -> Bool {
        skipWhitespace()
        return current == byte
    }

    /// Calls a body for each element of an array; it must read or skip that element's value, no more and no less.
    ///
    /// - Throws: `JSONError` where the next value is no array; what the body throws.
    package mutating func readElements(_ body: (inout JSONParser) throws -> Void) throws {
        guard nextIsArray() else { throw error("expected an array") }
        var failure: (any Error)?
        do {
            try readArray { (parser) throws(JSONError) in
                do { try body(&parser) } catch {
                    failure = error
                    throw parser.error("the caller stops here")
                }
            }
        } catch {
            throw failure ?? error
        }
    }

    /// Calls a body with the key of each member of an object; it must read or skip that member's value, no more and
    /// no less. A key that is given twice is the body's to notice.
    ///
    /// - Throws: `JSONError` where the next value is no object; what the body throws.
    package mutating func readMembers(_ body: (String, inout JSONParser) throws -> Void) throws {
        guard nextIsObject() else { throw error("expected an object") }
        var failure: (any Error)?
        do {
            try readObject { (key, _, parser) throws(JSONError) in
                do { try body(key, &parser) } catch {
                    failure = error
                    throw parser.error("the caller stops here")
                }
            }
        } catch {
            throw failure ?? error
        }
    }

    /// Reads a value and makes nothing of it.
    ///
    /// - Throws: `JSONError` with the line and column of the first fault; keys may be given twice.
    package mutating func skipValue() throws(JSONError) {
        if nextIsArray() {
            try readArray { (parser) throws(JSONError) in try parser.skipValue() }
        } else if nextIsObject() {
            try readObject { (_, _, parser) throws(JSONError) in try parser.skipValue() }
        } else {
            _ = try readValue()
        }
    }
}
