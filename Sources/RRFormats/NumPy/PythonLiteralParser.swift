/// As much of Python's literals as NPY headers use.
struct PythonLiteralParser {
    enum Value {
        case text(String)
        case truth(Bool)
        case integers([Int])
        /// The fields of a record, which are not read.
        case list
    }

    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) {
        rest = bytes
    }

    /// A dictionary with text as keys, and nothing but space after it; nil for anything else.
    mutating func dictionary() -> [String: Value]? {
        guard take("{") else { return nil }
        var fields: [String: Value] = [:]
        while !take("}") {
            guard let key = text(), take(":"), let value = value() else { return nil }
            fields[key] = value
            guard take(",") || rest.first == UInt8(ascii: "}") else { return nil }
        }
        skipSpace()
        return rest.isEmpty ? fields : nil
    }

    private mutating func value() -> Value? {
        if take("True") { return .truth(true) }
        if take("False") { return .truth(false) }
        if take("(") { return integers().map { .integers($0) } }
        if rest.first == UInt8(ascii: "[") { return skipList() ? .list : nil }
        return text().map { .text($0) }
    }

    private mutating func integers() -> [Int]? {
        var integers: [Int] = []
        while !take(")") {
            skipSpace()
            let digits = rest.prefix { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
            guard let integer = Int(String(decoding: digits, as: UTF8.self)) else { return nil }
            integers.append(integer)
            rest = rest.dropFirst(digits.count)
            // Python 2 wrote long integers so.
            _ = take("L")
            guard take(",") || rest.first == UInt8(ascii: ")") else { return nil }
        }
        return integers
    }

    private mutating func skipList() -> Bool {
        var depth = 0
        repeat {
            switch rest.popFirst() {
            case UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "]"): depth -= 1
            case nil: return false
            default: break
            }
        } while depth > 0
        return true
    }

    private mutating func text() -> String? {
        skipSpace()
        guard let quote = rest.first, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
            return nil
        }
        let content = rest.dropFirst().prefix { $0 != quote }
        guard content.endIndex < rest.endIndex else { return nil }
        rest = rest[(content.endIndex + 1)...]
        return String(decoding: content, as: UTF8.self)
    }

    private mutating func take(_ token: String) -> Bool {
        skipSpace()
        guard rest.starts(with: token.utf8) else { return false }
        rest = rest.dropFirst(token.utf8.count)
        return true
    }

    private mutating func skipSpace() {
        rest = rest.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
    }
}
