/// The extents of a dense array, outermost dimension first.
///
/// Images have the shape `(N, C, H, W)`: samples, channels, height, width.
public struct TensorShape: Hashable, Sendable, CustomStringConvertible {
    /// The extents, outermost first; none is negative.
    public let dimensions: [Int]

    /// The number of elements: the product of the extents, 1 for a scalar.
    public let elementCount: Int

    /// The largest product of extents: its elements, of at most 16 bytes, can be counted in bytes.
    private static let largestProduct = Int.max / 16

    /// Creates a shape after checking that its elements, and those of any of its parts, can be counted.
    ///
    /// An extent of zero makes no other extent right: the product of some of them is taken too, for the size of a row.
    ///
    /// - Throws: `TensorError` with the code `negativeExtent` or `tooManyElements`.
    public init(_ dimensions: [Int]) throws(TensorError) {
        var (count, product) = (1, 1)
        for extent in dimensions {
            guard extent >= 0 else {
                throw TensorError(.negativeExtent, "the shape \(dimensions) has a negative extent")
            }
            count &*= extent
            let (larger, overflow) = product.multipliedReportingOverflow(by: max(1, extent))
            guard !overflow, larger <= Self.largestProduct else {
                throw TensorError(
                    .tooManyElements, "the shape \(dimensions) has more elements than memory can address")
            }
            product = larger
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

/// The shape `(C, H, W)` of one image or one mask.
public struct ImageShape: Hashable, Sendable, CustomStringConvertible {
    public let channels: Int
    /// Rows of pixels.
    public let height: Int
    /// Pixels in a row.
    public let width: Int

    /// The number of elements, `C · H · W`.
    public let elementCount: Int

    /// Creates the shape of an image.
    ///
    /// - Throws: `TensorError` with the code `negativeExtent` or `tooManyElements`.
    public init(channels: Int, height: Int, width: Int) throws(TensorError) {
        self.elementCount = try TensorShape([channels, height, width]).elementCount
        self.channels = channels
        self.height = height
        self.width = width
    }

    /// The number of pixels, `H · W`.
    public var pixelCount: Int { height * width }

    /// `(C, H, W)` as a list.
    public var dimensions: [Int] { [channels, height, width] }

    /// `(1, 28, 28)`
    public var description: String { "(\(channels), \(height), \(width))" }
}

/// A shape that cannot exist, or elements that do not fill one.
public struct TensorError: Error, Equatable, Sendable, CustomStringConvertible {
    public enum Code: Sendable {
        /// An extent is below zero.
        case negativeExtent
        /// The element count overflows.
        case tooManyElements
        /// The number of elements is not the product of the extents.
        case countMismatch
        /// A mask that must mark something does not.
        case nothingMarked
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
