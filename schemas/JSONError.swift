/// A text that is not JSON.
public struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The line of the fault, from 1.
    public let line: Int
    /// The byte of the fault in its line, from 1.
    public let column: Int
    /// What is wrong.
    public let message: String

    /// `line 3, column 14: a string is not closed`
    public var description: String { "line \(line), column \(column): \(message)" }
}
