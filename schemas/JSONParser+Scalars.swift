extension JSONParser {
    /// Reads a number; the first byte is a minus sign or a digit.
    mutating func parseNumber() throws(JSONError) -> JSONValue {
        let start = position
        let isNegative = skip("-")
        if isNegative, allowsNonFinite, bytes[position..<end].starts(with: "Infinity".utf8) {
            position += 8
            return .number(-.infinity)
        }
        let leadingZero = current == UInt8(ascii: "0")
        var digits = Digits()
        let whole = readDigits(into: &digits)
        guard whole > 0, !(leadingZero && whole > 1) else { throw error("a number is malformed", at: start) }
        var (fraction, isInteger, hasExponent) = (0, true, false)
        if skip(".") {
            isInteger = false
            fraction = readDigits(into: &digits)
            guard fraction > 0 else { throw error("a number is malformed", at: start) }
        }
        if skip("e") || skip("E") {
            (isInteger, hasExponent) = (false, true)
            if !skip("+") { _ = skip("-") }
            var exponent = Digits()
            guard readDigits(into: &exponent) > 0 else { throw error("a number is malformed", at: start) }
        }
        // Both the digits and the power of ten are doubles, so one division rounds once, as it should.
        if digits.areExact, !hasExponent, fraction < Self.powersOfTen.count,
            !(isNegative && digits.value == 0)
        {
            if isInteger { return .integer(isNegative ? -digits.value : digits.value) }
            let number = Double(digits.value) / Self.powersOfTen[fraction]
            return .number(isNegative ? -number : number)
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isInteger, let integer = Int(text) { return text == "-0" ? .number(-0.0) : .integer(integer) }
        guard let number = Double(text), number.isFinite || allowsNonFinite else {
            throw error("a number is larger than a double can hold", at: start)
        }
        return .number(number)
    }

    private static let powersOfTen: [Double] = [
        1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
    ]

    /// Digits as a whole number, as long as a double holds it.
    private struct Digits {
        var value = 0
        var areExact = true

        mutating func append(_ digit: UInt8) {
            guard value < 900_719_925_474_099 else {
                areExact = false
                return
            }
            value = value * 10 + Int(digit - UInt8(ascii: "0"))
        }
    }

    private mutating func readDigits(into digits: inout Digits) -> Int {
        let start = position
        while position < end {
            let byte = bytes[position]
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { break }
            digits.append(byte)
            position += 1
        }
        return position - start
    }

    /// Reads a string; the first byte is a quotation mark.
    mutating func parseString() throws(JSONError) -> String {
        let start = position
        position += 1
        skipPlainCharacters()
        if current == UInt8(ascii: "\"") {
            guard let string = String(validating: bytes[start + 1..<position], as: UTF8.self) else {
                throw error("a string is not UTF-8", at: start)
            }
            position += 1
            return string
        }
        var content = Array(bytes[start + 1..<position])
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

    /// Goes to the next quotation mark, escape or control character.
    private mutating func skipPlainCharacters() {
        while position < end {
            let byte = bytes[position]
            guard byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 else { return }
            position += 1
        }
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
        guard end - position >= 4 else { return nil }
        var code: UInt32 = 0
        for byte in bytes[position..<position + 4] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else { return nil }
            code = code << 4 | UInt32(digit)
        }
        position += 4
        return code
    }
}
