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
