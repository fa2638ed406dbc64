internal import RRDatasets
internal import RRFormats
internal import RRSchemas

/// Takes options out of the JSON object in which callers give them.
///
/// Each is taken once by its name; `finish` then refuses what nobody took, so that a name with a slip is no option that is
/// silently left out.
struct OptionReader {
    private var members: [String: JSONValue] = [:]
    private var known: [String] = []

    /// - Parameter text: nil for no options.
    /// - Throws: `DatasetError` with the code `invalidOption` where the text is no JSON object.
    init(_ text: UnsafePointer<CChar>?) throws {
        guard let text else { return }
        let json: JSONValue
        do {
            json = try JSONValue(parsing: String(cString: text))
        } catch {
            throw ArgumentError.wrong("the options are no JSON: \(error)")
        }
        guard case .object(let members) = json else {
            throw ArgumentError.wrong("the options are not an object of JSON: {\"batch_size\": 256}")
        }
        self.members = members.filter { $0.value != .null }
    }

    /// Whether an option is given.
    func has(_ name: String) -> Bool { members[name] != nil }

    /// Takes an option that a function makes of its value; nil where it is not given.
    ///
    /// - Parameter what: what the option takes, as `a whole number`.
    mutating func take<Value>(_ name: String, _ what: String, _ make: (JSONValue) -> Value?) throws -> Value?
    {
        known.append(name)
        guard let given = members.removeValue(forKey: name) else { return nil }
        guard let value = make(given) else {
            throw ArgumentError.wrong("\(name) takes \(what), and is \(given.serialized())")
        }
        return value
    }

    mutating func flag(_ name: String) throws -> Bool? { try take(name, "true or false", \.boolValue) }

    mutating func integer(_ name: String) throws -> Int? { try take(name, "a whole number", \.integerValue) }

    mutating func number(_ name: String) throws -> Double? { try take(name, "a number", \.doubleValue) }

    mutating func text(_ name: String) throws -> String? { try take(name, "a text", \.stringValue) }

    /// Takes one of some words.
    mutating func choice<Choice: RawRepresentable & CaseIterable>(
        _ name: String, of type: Choice.Type
    ) throws -> Choice? where Choice.RawValue == String {
        let words = type.allCases.map(\.rawValue).joined(separator: ", ")
        return try take(name, "one of \(words)") { $0.stringValue.flatMap(Choice.init(rawValue:)) }
    }

    /// Takes what a text is made into.
    ///
    /// - Parameter form: how the text is written.
    mutating func parsed<Value>(_ name: String, _ form: String, _ make: (String) -> Value?) throws -> Value? {
        try take(name, form) { $0.stringValue.flatMap(make) }
    }

    /// - Throws: `DatasetError` with the code `invalidOption` where an option is left.
    func finish() throws {
        guard let name = members.keys.min() else { return }
        throw ArgumentError.wrong(
            "there is no option \(name); there are \(known.sorted().joined(separator: ", "))")
    }
}
