/// A decoded image.
package struct PNGImage: Sendable, Equatable {
    package let width: Int
    package let height: Int
    /// 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA.
    package let channels: Int
    /// The bits of a sample: 8 or 16.
    package let bitDepth: Int
    /// Rows from the top, samples of a pixel side by side `(H, W, C)`; 16-bit samples are little-endian.
    package let samples: [UInt8]

    package init(width: Int, height: Int, channels: Int, bitDepth: Int, samples: [UInt8]) {
        self.width = width
        self.height = height
        self.channels = channels
        self.bitDepth = bitDepth
        self.samples = samples
    }
}
