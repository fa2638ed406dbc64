/// One schema object, its keywords read and checked once.
final class SchemaNode: Sendable {
    /// What `additionalProperties` says of members that `properties` does not name.
    enum AdditionalMembers: Sendable {
        case allowed
        case forbidden
        case checked(SchemaNode)
    }

    let types: [JSONType]
    let allowedValues: [JSONValue]
    let required: [String]
    let properties: [String: SchemaNode]
    let additional: AdditionalMembers
    let items: SchemaNode?
    let minimum: Double?
    let maximum: Double?
    let pattern: String?
    let branches: [SchemaNode]
    /// The name after `#/$defs/`.
    let reference: String?

    /// Keywords that describe and do not constrain; `$defs` is read by the document.
    private static let annotations: Set<String> = ["$schema", "$id", "title", "description", "$defs"]

    /// Creates the schema that everything fits.
    init() {
        types = []
        allowedValues = []
        required = []
        properties = [:]
        additional = .allowed
        items = nil
        minimum = nil
        maximum = nil
        pattern = nil
        branches = []
        reference = nil
    }

    init(_ document: JSONValue, path: String) throws(SchemaError) {
        guard case .object(var members) = document else { throw SchemaError("\(path) is not an object") }
        for annotation in Self.annotations { members[annotation] = nil }
        func take(_ keyword: String) -> JSONValue? { members.removeValue(forKey: keyword) }
        func malformed(_ keyword: String) -> SchemaError { SchemaError("\(path)/\(keyword) is malformed") }

        types = try Self.types(take("type"), malformed("type"))
        allowedValues = try Self.allowedValues(
            const: take("const"), enumeration: take("enum"), malformed("enum"))
        required = try Self.strings(take("required"), malformed("required"))
        properties = try Self.nodes(take("properties"), path: "\(path)/properties", malformed("properties"))
        additional = try Self.additional(take("additionalProperties"), path: "\(path)/additionalProperties")
        if let value = take("items") {
            items = try SchemaNode(value, path: "\(path)/items")
        } else {
            items = nil
        }
        minimum = try Self.number(take("minimum"), malformed("minimum"))
        maximum = try Self.number(take("maximum"), malformed("maximum"))
        pattern = try Self.pattern(take("pattern"), malformed("pattern"))
        branches = try Self.branches(take("oneOf"), path: "\(path)/oneOf", malformed("oneOf"))
        reference = try Self.reference(take("$ref"), malformed("$ref"))
        if let unknown = members.keys.min() { throw SchemaError("\(path)/\(unknown) is an unknown keyword") }
    }

    /// The names that this schema and those inside it refer to.
    var referencedNames: [String] {
        var inner = Array(properties.values) + branches
        if let items { inner.append(items) }
        if case .checked(let node) = additional { inner.append(node) }
        return inner.flatMap(\.referencedNames) + (reference.map { [$0] } ?? [])
    }
}

extension SchemaNode {
    private static func types(_ value: JSONValue?, _ fault: SchemaError) throws(SchemaError) -> [JSONType] {
        guard let value else { return [] }
        var types: [JSONType] = []
        for name in value.arrayValue ?? [value] {
            guard let type = name.stringValue.flatMap(JSONType.init(rawValue:)) else { throw fault }
            types.append(type)
        }
        return types
    }

    private static func allowedValues(
        const: JSONValue?, enumeration: JSONValue?, _ fault: SchemaError
    ) throws(SchemaError) -> [JSONValue] {
        if let const { return [const] }
        guard let enumeration else { return [] }
        guard let values = enumeration.arrayValue, !values.isEmpty else { throw fault }
        return values
    }

    private static func strings(_ value: JSONValue?, _ fault: SchemaError) throws(SchemaError) -> [String] {
        guard let value else { return [] }
        guard let strings = value.arrayValue?.map(\.stringValue) else { throw fault }
        guard !strings.contains(nil) else { throw fault }
        return strings.compactMap { $0 }
    }

    private static func nodes(
        _ value: JSONValue?, path: String, _ fault: SchemaError
    ) throws(SchemaError) -> [String: SchemaNode] {
        guard let value else { return [:] }
        guard let members = value.objectValue else { throw fault }
        var nodes: [String: SchemaNode] = [:]
        for (name, member) in members { nodes[name] = try SchemaNode(member, path: "\(path)/\(name)") }
        return nodes
    }

    private static func additional(_ value: JSONValue?, path: String) throws(SchemaError) -> AdditionalMembers
    {
        switch value {
        case nil, .bool(true): .allowed
        case .bool(false): .forbidden
        case .some(let schema): .checked(try SchemaNode(schema, path: path))
        }
    }

    private static func number(_ value: JSONValue?, _ fault: SchemaError) throws(SchemaError) -> Double? {
        guard let value else { return nil }
        guard let number = value.doubleValue else { throw fault }
        return number
    }

    private static func pattern(_ value: JSONValue?, _ fault: SchemaError) throws(SchemaError) -> String? {
        guard let value else { return nil }
        guard let pattern = value.stringValue, (try? Regex(pattern)) != nil else { throw fault }
        return pattern
    }

    private static func branches(
        _ value: JSONValue?, path: String, _ fault: SchemaError
    ) throws(SchemaError) -> [SchemaNode] {
        guard let value else { return [] }
        guard let elements = value.arrayValue, !elements.isEmpty else { throw fault }
        var branches: [SchemaNode] = []
        for (index, element) in elements.enumerated() {
            branches.append(try SchemaNode(element, path: "\(path)/\(index)"))
        }
        return branches
    }

    private static func reference(_ value: JSONValue?, _ fault: SchemaError) throws(SchemaError) -> String? {
        guard let value else { return nil }
        let prefix = "#/$defs/"
        guard let target = value.stringValue, target.hasPrefix(prefix) else { throw fault }
        return String(target.dropFirst(prefix.count))
    }
}

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
