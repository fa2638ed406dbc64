/// A shape that cannot exist, or elements that do not fill one.
public struct TensorError: Error, Equatable, Sendable, CustomStringConvertible {
    public enum Code: Sendable {
        /// An extent is below zero.
        case negativeExtent
        /// The element count overflows.
        case tooManyElements
        /// The number of elements is not the product of the extents.
        case countMismatch
    }

    public let code: Code
    /// What is wrong, with the figures.
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
