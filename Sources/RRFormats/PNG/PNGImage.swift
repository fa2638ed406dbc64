/// What the first chunk of a PNG file says, for the kinds of images that are served.
package struct PNGHeader: Sendable, Hashable, CustomStringConvertible {
    package let width: Int
    package let height: Int
    /// 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA.
    package let channels: Int
    /// The bits of a sample: 8 or 16.
    package let bitDepth: Int

    package init(width: Int, height: Int, channels: Int, bitDepth: Int) {
        self.width = width
        self.height = height
        self.channels = channels
        self.bitDepth = bitDepth
    }

    /// The bytes of the decoded image.
    package var byteCount: Int { height * width * channels * (bitDepth / 8) }

    /// `8-bit rgb 32×24 (width × height)`
    package var description: String {
        "\(bitDepth)-bit \(Self.colorNames[channels - 1]) \(width)×\(height) (width × height)"
    }

    /// The names of the served kinds by number of channels, less one.
    package static let colorNames = ["gray", "gray-alpha", "rgb", "rgba"]

    /// The largest width and height that is served, as in libpng.
    package static let largestExtent = 1_000_000
    /// The largest decoded image that is served, in bytes.
    package static let largestByteCount = 1 << 31
}

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
    /// The faults of its file that were read over.
    package var faults: PNGFaults = []

    package init(width: Int, height: Int, channels: Int, bitDepth: Int, samples: [UInt8]) {
        self.width = width
        self.height = height
        self.channels = channels
        self.bitDepth = bitDepth
        self.samples = samples
    }
}

/// The order of a decoded image's samples.
package enum PNGArrangement: Sendable {
    /// The samples of a pixel side by side, `(H, W, C)`.
    case interleaved
    /// A plane for each channel, `(C, H, W)`.
    case planar
}
