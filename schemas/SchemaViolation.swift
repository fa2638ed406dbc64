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
