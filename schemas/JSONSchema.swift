/// One of the schemas of this folder, or another that keeps to their keywords.
///
/// The keywords are those of JSON Schema 2020-12 named `type`, `const`, `enum`, `required`, `properties`,
/// `additionalProperties`, `items`, `minimum`, `maximum`, `pattern`, `oneOf`, `$ref` (to `#/$defs/…`) and `$defs`.
public struct JSONSchema: Sendable {
    /// The schema of `rrdata info --json` of a dataset: `dataset.schema.json`.
    public static let dataset = JSONSchema(embedded: PackageResources.dataset_schema_json)
    /// The schema of `rrdata info --json` of a mask set: `masks.schema.json`.
    public static let masks = JSONSchema(embedded: PackageResources.masks_schema_json)
    /// The schema of a run's `model.json`: `model.schema.json`.
    public static let model = JSONSchema(embedded: PackageResources.model_schema_json)
    /// The schema of a line of a run's `metrics.jsonl`: `metrics.schema.json`.
    public static let metrics = JSONSchema(embedded: PackageResources.metrics_schema_json)
    /// The schema of `rrdata evaluate --json`: `evaluation.schema.json`.
    public static let evaluation = JSONSchema(embedded: PackageResources.evaluation_schema_json)
    /// The schema of `rrdata compare --json`: `comparison.schema.json`.
    public static let comparison = JSONSchema(embedded: PackageResources.comparison_schema_json)

    private let root: SchemaNode
    private let definitions: [String: SchemaNode]
    /// Why the schema itself cannot be used; nothing is valid then.
    private let fault: String?

    /// Reads a schema.
    ///
    /// - Throws: `SchemaError` for a keyword that is unknown or malformed, or a `$ref` that leads nowhere.
    package init(_ document: JSONValue) throws(SchemaError) {
        root = try SchemaNode(document, path: "")
        var definitions: [String: SchemaNode] = [:]
        for (name, definition) in document["$defs"]?.objectValue ?? [:] {
            definitions[name] = try SchemaNode(definition, path: "/$defs/\(name)")
        }
        self.definitions = definitions
        fault = nil
        for name in ([root] + definitions.values).flatMap(\.referencedNames) where definitions[name] == nil {
            throw SchemaError("$ref leads to #/$defs/\(name), which is not there")
        }
    }

    /// Reads a schema that was embedded at build time; a test proves each of them sound.
    private init(embedded bytes: [UInt8]) {
        do {
            self = try JSONSchema(JSONValue(parsing: bytes))
        } catch {
            root = SchemaNode()
            definitions = [:]
            fault = "the embedded schema is malformed: \(error)"
        }
    }

    /// Checks a document and lists what breaks the schema, in the order of the document's sorted members.
    ///
    /// No more than 100 violations are listed. Where a value fits no branch of `oneOf`, those of the closest
    /// branch are listed.
    public func validate(_ value: JSONValue) -> [SchemaViolation] {
        if let fault { return [SchemaViolation(path: "", message: fault)] }
        var validation = SchemaValidation(definitions: definitions)
        validation.check(value, against: root)
        return validation.violations.map { SchemaViolation(path: $0.path.pointer, message: $0.message) }
    }
}

/// A schema that breaks the rules of schemas: a fault of whoever wrote it.
package struct SchemaError: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}

/// A place where a document breaks its schema.
public struct SchemaViolation: Hashable, Sendable, CustomStringConvertible {
    /// The place as a JSON pointer (RFC 6901): `/layers/3/conv2d/out`; empty for the whole document.
    public let path: String
    /// What is wrong there.
    public let message: String

    public init(path: String, message: String) {
        self.path = path
        self.message = message
    }

    /// `/layers/3/conv2d/out: 0 is below the minimum of 1`
    public var description: String { path.isEmpty ? message : "\(path): \(message)" }
}
