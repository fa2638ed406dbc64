/// The extents of a dense array, outermost dimension first.
///
/// Images have the shape `(N, C, H, W)`: samples, channels, height, width.
public struct TensorShape: Hashable, Sendable, CustomStringConvertible {
    /// The extents, outermost first; none is negative.
    public let dimensions: [Int]

    /// The number of elements: the product of the extents, 1 for a scalar.
    public let elementCount: Int

    /// Creates a shape after checking that its element count is representable.
    ///
    /// - Throws: `TensorError` with the code `negativeExtent` or `tooManyElements`.
    public init(_ dimensions: [Int]) throws(TensorError) {
        var count = 1
        for extent in dimensions {
            guard extent >= 0 else {
                throw TensorError(.negativeExtent, "the shape \(dimensions) has a negative extent")
            }
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            guard !overflow else {
                throw TensorError(
                    .tooManyElements, "the shape \(dimensions) has more elements than memory can address")
            }
            count = product
        }
        self.dimensions = dimensions
        self.elementCount = count
    }

    /// The number of dimensions.
    public var rank: Int { dimensions.count }

    public subscript(dimension: Int) -> Int { dimensions[dimension] }

    /// `(60000, 1, 28, 28)`
    public var description: String {
        "(" + dimensions.map(String.init).joined(separator: ", ") + ")"
    }
}
