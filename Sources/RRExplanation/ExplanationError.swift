/// A batch that a loss or an explanation cannot be computed for.
public struct ExplanationError: Error, Equatable, Sendable, CustomStringConvertible {
    public enum Code: Sendable {
        /// The parts of a batch do not fit each other or the network.
        case batchMismatch
        /// A label is not one of the network's classes.
        case labelOutOfRange
        /// The weights of the classes do not fit the network's classes, or are no weights.
        case unsuitableClassWeights
        /// A gradient is not a finite number, so nothing can be ranked by it.
        case gradientNotFinite
        /// A mask cannot be made as asked, whatever the gradient.
        case impossibleSelection
    }

    public let code: Code
    /// What is wrong, with the figures and the remedy where there is one.
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
