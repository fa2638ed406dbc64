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

/// How a PNG file stores its image, as far as the chunks before the pixels tell.
package struct PNGStorage: Sendable, Hashable {
    /// What the pixels are (PNG, 11.2.1).
    package enum ColorType: UInt8, Sendable {
        case gray = 0
        case rgb = 2
        case palette = 3
        case grayAlpha = 4
        case rgba = 6
    }

    package let width: Int
    package let height: Int
    package let colorType: ColorType
    /// The bits of a sample, or of a number of the palette: 1, 2, 4, 8 or 16.
    package let bitDepth: Int
    package let isInterlaced: Bool
    /// Whether a tRNS chunk makes colours transparent.
    package let hasTransparency: Bool
    /// Whether gamma or a colour space is given (gAMA, cHRM, sRGB, iCCP or cICP), which decoding ignores.
    package let hasColorSpace: Bool

    /// What decoding makes of the image: palettes become RGB, transparency becomes alpha, and gray of fewer than
    /// 8 bits is scaled to 8.
    package var header: PNGHeader {
        let channels =
            switch colorType {
            case .gray: hasTransparency ? 2 : 1
            case .grayAlpha: 2
            case .rgb, .palette: hasTransparency ? 4 : 3
            case .rgba: 4
            }
        return PNGHeader(width: width, height: height, channels: channels, bitDepth: max(8, bitDepth))
    }

    /// What stands in the file: numbers of the palette, and gray of fewer than 8 bits unscaled, one a byte.
    package var storedHeader: PNGHeader {
        let channels =
            switch colorType {
            case .gray, .palette: 1
            case .grayAlpha: 2
            case .rgb: 3
            case .rgba: 4
            }
        return PNGHeader(width: width, height: height, channels: channels, bitDepth: max(8, bitDepth))
    }

    /// Whether there is such a colour type with such a depth.
    static func exists(_ colorType: ColorType, bitDepth: Int) -> Bool {
        switch colorType {
        case .gray: [1, 2, 4, 8, 16].contains(bitDepth)
        case .palette: [1, 2, 4, 8].contains(bitDepth)
        case .rgb, .grayAlpha, .rgba: bitDepth == 8 || bitDepth == 16
        }
    }
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
