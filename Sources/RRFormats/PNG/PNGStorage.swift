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
