import RRSchemas
import Testing

@Suite("Walking through JSON")
struct JSONWalkingTests {
    static let text = """
        {"a": [1, -2.5, 3e2, "x\\ny", null, true], "skipped": {"deep": [[{"k": "v"}], []]}, "b": {"c": 7} }
        """

    @Test("members and elements come in order, and what is skipped is passed over")
    func walk() throws {
        var parser = JSONParser(bytes: Array(Self.text.utf8))
        var found: [JSONValue] = []
        try parser.readMembers { key, parser in
            switch key {
            case "a":
                let isArray = parser.nextIsArray()
                #expect(isArray)
                try parser.readElements { found.append(try $0.readValue()) }
            case "b":
                let isArray = parser.nextIsArray()
                #expect(!isArray)
                try parser.readMembers { found += [.string($0), try $1.readValue()] }
            default: try parser.skipValue()
            }
        }
        try parser.readEnd()
        #expect(found == [1, -2.5, .number(300), "x\ny", .null, true, "c", 7])
    }

    @Test("a text may stand among other bytes, and ends where its range does")
    func range() throws {
        let bytes = Array("12{\"a\": [3]}]4".utf8)
        var parser = JSONParser(bytes: bytes, range: 2..<12)
        let value = try parser.readValue()
        let isAtEnd = parser.isAtEnd()
        #expect(value == ["a": [3]] && isAtEnd)
        var cut = JSONParser(bytes: bytes, range: 2..<10)
        let error = #expect(throws: JSONError.self) { try cut.readValue() }
        #expect(error?.message == "expected ',' or ']' in an array")
    }

    @Test("a value is read from where it stands")
    func position() throws {
        var parser = JSONParser(bytes: Array(Self.text.utf8))
        var place = 0
        try parser.readMembers { key, parser in
            if key == "b", parser.nextIsObject() { place = parser.position }
            try parser.skipValue()
        }
        var other = JSONParser(bytes: Array(Self.text.utf8), position: place)
        #expect(try other.readValue() == ["c": 7])
    }

    @Test(
        "what is skipped must be sound JSON all the same",
        arguments: [
            "[1, 2", "{\"a\" 1}", "[01]", "[\"\\q\"]", "[NaN]", "{\"a\": [tru]}", "[1e999]", "[\"\u{1}\"]",
        ])
    func unsound(text: String) {
        var parser = JSONParser(bytes: Array(text.utf8))
        #expect(throws: JSONError.self) { try parser.skipValue() }
    }

    @Test("an error of the caller ends the walk as it is")
    func callersError() {
        struct Stop: Error {}
        var parser = JSONParser(bytes: Array(Self.text.utf8))
        #expect(throws: Stop.self) {
            try parser.readMembers { _, parser in try parser.readElements { _ in throw Stop() } }
        }
        var list = JSONParser(bytes: Array("[]".utf8))
        #expect(throws: JSONError.self) { try list.readMembers { _, _ in } }
    }

    @Test("nesting without end is refused")
    func depth() {
        var parser = JSONParser(bytes: Array(repeating: UInt8(ascii: "["), count: 100_000))
        #expect(throws: JSONError.self) { try parser.skipValue() }
    }

    @Test("NaN and numbers beyond a double are read where the caller allows them")
    func nonFinite() throws {
        let bytes = Array("[NaN, -Infinity, Infinity, 1e999]".utf8)
        #expect(throws: JSONError.self) { try JSONValue(parsing: bytes) }
        var parser = JSONParser(bytes: bytes, allowsNonFinite: true)
        let numbers = try parser.readValue().arrayValue?.compactMap(\.doubleValue) ?? []
        #expect(numbers.count == 4 && numbers[0].isNaN)
        #expect(numbers.dropFirst() == [-.infinity, .infinity, .infinity])
    }

    @Test("decimals are the doubles that are nearest to them")
    func decimals() throws {
        for text in [
            "0.1", "473.07", "-1.005", "123456789.123456", "9007199254740991.5", "900719925474098.9",
            "0.000000000000001", "0.0000000000000001", "5e-324", "1.7976931348623157e308", "-0.0", "-0",
            "9223372036854775807", "-9223372036854775808", "90071992547409931", "0.30000000000000004",
        ] {
            let value = try JSONValue(parsing: text)
            #expect(value.doubleValue?.bitPattern == Double(text)?.bitPattern, "\(text)")
            if text != "-0", let integer = Int(text) { #expect(value == .integer(integer)) }
        }
        var state: UInt64 = 1
        for _ in 0..<5000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let text = "\(state >> 40).\(state >> 8 & 0xFFFF)"
            #expect(try JSONValue(parsing: text).doubleValue == Double(text))
        }
    }
}
