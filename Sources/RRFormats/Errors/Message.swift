/// What an error or a note says: words among which options and operations keep their identity, so that each interface
/// names them as its users know them.
///
/// The library names an option by its property, `layout`, and an operation by its type, `ArrayImport`; the command line
/// says `--layout` and `rrdata import hdf5`.
public struct Message: Hashable, Sendable {
    /// A piece of a message.
    public enum Part: Hashable, Sendable {
        case text(String)
        case option(OptionName)
        case operation(OperationName)
    }

    /// The pieces in order; no two texts follow each other.
    public private(set) var parts: [Part] = []

    public init(_ text: String) { append(.text(text)) }

    /// The message in the words of an interface.
    ///
    /// - Parameter name: how the interface calls an option or an operation.
    public func text(naming name: (Part) -> String) -> String {
        parts.map { part in
            if case .text(let text) = part { text } else { name(part) }
        }.joined()
    }

    private mutating func append(_ part: Part) {
        if case .text(let text) = part {
            guard !text.isEmpty else { return }
            if case .text(let before)? = parts.last {
                parts[parts.count - 1] = .text(before + text)
                return
            }
        }
        parts.append(part)
    }

    public static func + (first: Message, second: Message) -> Message {
        var sum = first
        for part in second.parts { sum.append(part) }
        return sum
    }

    public static func + (first: Message, second: String) -> Message { first + Message(second) }

    public static func + (first: String, second: Message) -> Message { Message(first) + second }
}

extension Message: ExpressibleByStringInterpolation {
    public struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var message = Message("")

        public init(literalCapacity: Int, interpolationCount: Int) {}

        public mutating func appendLiteral(_ literal: String) { message.append(.text(literal)) }

        /// A value, in one line and cut where it is long: it may come from a file.
        public mutating func appendInterpolation(_ value: some Any) {
            message.append(.text("\(value)".legible))
        }

        public mutating func appendInterpolation(_ other: Message) { message = message + other }

        /// An option, by the property that it is in the library.
        public mutating func appendInterpolation(option: OptionName) { message.append(.option(option)) }

        /// An operation that the reader may want next.
        public mutating func appendInterpolation(operation: OperationName) {
            message.append(.operation(operation))
        }
    }

    public init(stringLiteral text: String) { self.init(text) }

    public init(stringInterpolation interpolation: StringInterpolation) { self = interpolation.message }
}

extension Message: CustomStringConvertible {
    /// The message in the library's words.
    public var description: String {
        text { part in
            switch part {
            case .text(let text): text
            case .option(let option): "`\(option.name)`"
            case .operation(let operation): operation.name
            }
        }
    }
}

/// An option that a message speaks of: the property of that name in the options of an operation.
///
/// Each module declares those that it speaks of as static members, beside the options themselves.
public struct OptionName: Hashable, Sendable {
    public let name: String

    public init(_ name: String) { self.name = name }
}

/// An operation that a message speaks of: the type of that name, or one of its functions.
public struct OperationName: Hashable, Sendable {
    public let name: String

    public init(_ name: String) { self.name = name }
}

/// An error whose whole text is a message.
public protocol ExplainedError: Error, CustomStringConvertible {
    /// The place and what is wrong there.
    var explanation: Message { get }
}

extension ExplainedError {
    /// The explanation in the library's words.
    public var description: String { explanation.description }
}
