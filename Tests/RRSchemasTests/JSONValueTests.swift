import FoundationEssentials
import RRSchemas
import Testing

@Suite struct JSONValueTests {
    @Test(
        "text that is serialised reads back as the same value",
        arguments: [
            JSONValue.null, true, 0, .integer(.max), .integer(.min), 0.1, -0.0, 1e300,
            .number(.leastNonzeroMagnitude), 1.0, "",
            "quote \" slash \\ line\n tab\t null\u{0} é 🙂", [], [1, [2, []]], [:],
            ["b": 1, "a": [.null, false]],
        ])
    func roundTrip(value: JSONValue) throws {
        #expect(try JSONValue(parsing: value.serialized()) == value)
        #expect(try JSONValue(parsing: value.serialized(pretty: true)) == value)
    }

    @Test("a value passes through Codable")
    func coding() throws {
        let value: JSONValue = ["a": [.null, true, .integer(.max), 0.5, "x"], "b": [:]]
        #expect(try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(value)) == value)
    }

    @Test("keys are sorted by their bytes, and pretty text keeps plain arrays on a line")
    func stableText() {
        let value: JSONValue = ["b": ["x": 1.5], "a": [1, 2], "Z": [["k": "v"]]]
        #expect(value.serialized() == #"{"Z":[{"k":"v"}],"a":[1,2],"b":{"x":1.5}}"#)
        let pretty = """
            {
              "Z": [
                {
                  "k": "v"
                }
              ],
              "a": [1,2],
              "b": {
                "x": 1.5
              }
            }
            """
        #expect(value.serialized(pretty: true) == pretty)
    }

    @Test("a number that is not finite becomes null", arguments: [Double.nan, .infinity, -.infinity])
    func notFinite(number: Double) {
        #expect(JSONValue.number(number).serialized() == "null")
    }

    @Test("what RFC 8259 allows is read")
    func reading() throws {
        #expect(try JSONValue(parsing: " [1 , -2.50e+1, 1E2]\r\n") == [1, -25.0, 100.0])
        #expect(try JSONValue(parsing: #""\u00e9\ud83d\ude42\/\b\f""#) == "é🙂/\u{8}\u{c}")
        #expect(try JSONValue(parsing: [0xEF, 0xBB, 0xBF, 0x31]) == 1)
        #expect(try JSONValue(parsing: "18446744073709551616") == 18_446_744_073_709_551_616.0)
        #expect(try JSONValue(parsing: "-0").serialized() == "-0.0")
        #expect(try JSONValue(parsing: "1e-999").doubleValue == 0)
    }

    @Test(
        "a fault is named with its line and column",
        arguments: [
            ("", 1, 1, "a value is missing"), ("[1,\n 2,]", 2, 4, "expected a value"),
            ("{\"a\":1,\n\"a\":2}", 2, 1, "the key \"a\" is given twice"), ("[1] 2", 1, 5, "after the end"),
            ("01", 1, 1, "malformed"), ("1.", 1, 1, "malformed"), ("-", 1, 1, "malformed"),
            ("1e999", 1, 1, "larger than a double"), ("\"a", 1, 1, "not closed"),
            ("\"\u{1}\"", 1, 2, "control"),
            (#""\x""#, 1, 2, "escape is malformed"), (#""\ud800""#, 1, 2, "surrogate"),
            (#""\udc00""#, 1, 2, "surrogate"), (#""\u12"#, 1, 2, "malformed"),
            ("{1:2}", 1, 2, "key in quotes"),
            ("{\"a\" 1}", 1, 6, "expected ':'"), ("[1 2]", 1, 4, "expected ',' or ']'"),
            ("{\"a\":1 2}", 1, 8, "expected ',' or '}'"), ("nul", 1, 1, "expected a value"),
        ])
    func faults(text: String, line: Int, column: Int, message: String) throws {
        let error = try #require(throws: JSONError.self) { try JSONValue(parsing: text) }
        #expect(error.line == line)
        #expect(error.column == column)
        #expect(error.message.contains(message), "\(error)")
    }

    @Test("a string that is not UTF-8 is refused")
    func notUTF8() {
        #expect(throws: JSONError.self) { try JSONValue(parsing: [0x22, 0xFF, 0x22]) }
    }

    @Test("deep nesting is an error, not a crash", arguments: ["[", "{\"a\":"])
    func deepNesting(opening: String) throws {
        let error = try #require(throws: JSONError.self) {
            try JSONValue(parsing: String(repeating: opening, count: 1_000_000))
        }
        #expect(error.message.contains("nested more than 256 deep"))
        let deep = String(repeating: "[", count: 256) + String(repeating: "]", count: 256)
        #expect(try JSONValue(parsing: deep).serialized() == deep)
    }

    @Test("whole numbers are read as integers however they are written")
    func integers() {
        #expect(JSONValue.number(3.0).integerValue == 3)
        #expect(JSONValue.number(3.5).integerValue == nil)
        #expect(JSONValue.integer(3).doubleValue == 3.0)
    }
}
