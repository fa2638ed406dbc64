/// A dense array of elements in row-major order; images are `(N, C, H, W)`.
public struct Tensor<Element: Sendable>: Sendable {
    public let shape: TensorShape

    /// The elements, the last dimension contiguous.
    public let elements: [Element]

    /// Creates a tensor from its elements in row-major order.
    ///
    /// - Throws: `TensorError` with the code `countMismatch` where `elements` does not fill `shape`.
    public init(shape: TensorShape, elements: [Element]) throws(TensorError) {
        guard elements.count == shape.elementCount else {
            throw TensorError(
                .countMismatch,
                "the shape \(shape) has \(shape.elementCount) elements, but \(elements.count) were given")
        }
        self.shape = shape
        self.elements = elements
    }

    /// Creates a tensor with one value throughout.
    public init(shape: TensorShape, repeating value: Element) {
        self.shape = shape
        self.elements = Array(repeating: value, count: shape.elementCount)
    }
}
