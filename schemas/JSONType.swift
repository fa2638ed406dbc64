/// The types that the keyword `type` names.
enum JSONType: String, Sendable {
    case null, boolean, integer, number, string, array, object

    /// `an integer`
    var article: String {
        switch self {
        case .null: "null"
        case .integer, .array, .object: "an \(rawValue)"
        case .boolean, .number, .string: "a \(rawValue)"
        }
    }

    /// Tells whether a value is of the type; a double without a fraction is an integer.
    func matches(_ value: JSONValue) -> Bool {
        switch (self, value) {
        case (.null, .null), (.boolean, .bool), (.string, .string), (.array, .array), (.object, .object): true
        case (.number, .integer), (.number, .number), (.integer, .integer): true
        case (.integer, .number): value.integerValue != nil
        default: false
        }
    }
}
