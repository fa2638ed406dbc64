/// A model that cannot be built, or data that does not fit it.
public struct NetworkError: Error, Equatable, Sendable, CustomStringConvertible {
    public enum Code: Sendable {
        /// The description is not a model: a missing field, a wrong type, a value out of range.
        case malformedModel
        /// A layer, or an option of one, that this version does not serve.
        case unsupportedLayer
        /// A layer cannot take the output of the one before it.
        case shapeMismatch
        /// Named weights do not match the model's parameters.
        case weightsMismatch
        /// A batch does not fit the model, or its own parts do not fit each other.
        case batchMismatch
        /// The model has no layer of this name, or none whose output can be taken for what was asked.
        case unknownLayer
        /// One group of samples and the sums of gradients take more memory than there is.
        case insufficientMemory
    }

    public let code: Code
    /// The layer by its position in the model (`layers[3] (conv2d)`), the tensor or the field.
    public let location: String
    /// What is wrong, with the figures and the remedy where there is one.
    public let message: String

    public init(_ code: Code, _ location: String, _ message: String) {
        self.code = code
        self.location = location
        self.message = message
    }

    /// `layers[3] (linear): needs a flat input, …`
    public var description: String { "\(location): \(message)" }
}
