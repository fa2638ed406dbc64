import RRSchemas
import Testing

@Suite struct JSONSchemaTests {
    /// A schema, a value that fits, one that does not, and what is said of it.
    struct Case: CustomTestStringConvertible {
        let schema: String
        let good: String
        let bad: String
        let path: String
        let message: String

        init(_ schema: String, good: String, bad: String, _ path: String, _ message: String) {
            (self.schema, self.good, self.bad, self.path, self.message) = (schema, good, bad, path, message)
        }

        var testDescription: String { "\(schema) refuses \(bad)" }
    }

    @Test(
        "every keyword accepts and refuses, and says where and why",
        arguments: [
            Case(#"{"type":"integer"}"#, good: "1.0", bad: "1.5", "", "expected an integer, found 1.5"),
            Case(
                #"{"type":["number","null"]}"#, good: "null", bad: #""x""#, "",
                #"expected a number or null, found "x""#),
            Case(#"{"type":"boolean"}"#, good: "true", bad: "0", "", "expected a boolean, found 0"),
            Case(#"{"type":"object"}"#, good: "{}", bad: "[]", "", "expected an object, found []"),
            Case(#"{"const":1}"#, good: "1.0", bad: "2", "", "expected 1, found 2"),
            Case(
                #"{"const":{"a":[1]}}"#, good: #"{"a":[1.0]}"#, bad: "{}", "",
                #"expected {"a":[1]}, found {}"#),
            Case(
                #"{"enum":["a",null]}"#, good: "null", bad: #""b""#, "",
                #"expected one of "a", null, found "b""#),
            Case(
                #"{"required":["a"]}"#, good: #"{"a":null}"#, bad: #"{"b":1}"#, "",
                #"the member "a" is missing"#),
            Case(
                #"{"properties":{"a/b":{"type":"string"}}}"#, good: "{}", bad: #"{"a/b":1}"#, "/a~1b",
                "expected a string, found 1"),
            Case(
                #"{"properties":{"a":{}},"additionalProperties":false}"#, good: #"{"a":1}"#, bad: #"{"b":1}"#,
                "",
                #"the member "b" is unknown; known are: a"#),
            Case(
                #"{"additionalProperties":{"type":"null"}}"#, good: #"{"b":null}"#, bad: #"{"b":1}"#, "/b",
                "expected null, found 1"),
            Case(
                #"{"items":{"minimum":2}}"#, good: "[2,3]", bad: "[2,1]", "/1", "1 is below the minimum of 2"),
            Case(#"{"maximum":0.5}"#, good: "0.5", bad: "1", "", "1 is above the maximum of 0.5"),
            Case(
                #"{"pattern":"^[0-9]+$"}"#, good: #""12""#, bad: #""1x""#, "",
                #""1x" does not match the pattern ^[0-9]+$"#),
            Case(
                ##"{"$defs":{"list":{"items":{"$ref":"#/$defs/list"},"type":"array"}},"$ref":"#/$defs/list"}"##,
                good: "[[],[[]]]", bad: "[[],[1]]", "/1/0", "expected an array, found 1"),
            Case(
                #"{"oneOf":[{"type":"string"},{"properties":{"a":{"const":1}},"required":["a"],"type":"object"}]}"#,
                good: #""x""#, bad: #"{"a":2}"#, "/a", "expected 1, found 2"),
            Case(
                #"{"oneOf":[{"required":["a"]},{"required":["b"]}]}"#, good: #"{"a":1}"#, bad: "{}", "",
                #"{} fits none of the forms: {"a": …}, {"b": …}"#),
            Case(
                #"{"oneOf":[{"type":"integer"},{"minimum":5}]}"#, good: "4", bad: "6", "",
                "the value fits 2 of 2 forms, where it must fit one"),
        ])
    func keyword(example: Case) throws {
        let schema = try JSONSchema(JSONValue(parsing: example.schema))
        #expect(try schema.validate(JSONValue(parsing: example.good)) == [])
        let violations = try schema.validate(JSONValue(parsing: example.bad))
        #expect(violations == [SchemaViolation(path: example.path, message: example.message)])
    }

    @Test(
        "a schema that is itself at fault is refused",
        arguments: [
            #"{"minLength":1}"#, #"{"type":"float"}"#, #"{"pattern":"("}"#, #"{"$ref":"other.json"}"#,
            ##"{"$ref":"#/$defs/none"}"##, #"{"items":[]}"#, #"{"oneOf":[]}"#, #"{"enum":[]}"#,
            #"{"required":[1]}"#,
            #"{"minimum":"0"}"#, #"{"properties":1}"#, "[]",
        ])
    func malformedSchema(text: String) {
        #expect(throws: SchemaError.self) { try JSONSchema(JSONValue(parsing: text)) }
    }

    @Test("no more than a hundred violations are listed")
    func manyViolations() throws {
        let schema = try JSONSchema(["items": ["type": "string"]])
        #expect(schema.validate(.array(Array(repeating: 1, count: 100_000))).count == 100)
    }
}
