package import RRDatasets

/// The colours of pictures. Each pair that tells things apart does so by lightness too, so that it does for those who tell
/// fewer hues apart, and in print.
package enum Palette {
    package static let paper = RGBColor(red: 255, green: 255, blue: 255)
    package static let ink = RGBColor(red: 27, green: 31, blue: 36)
    package static let quietInk = RGBColor(red: 87, green: 96, blue: 106)
    package static let rule = RGBColor(red: 208, green: 215, blue: 222)
    /// Where A is 1: Okabe and Ito's vermilion, brighter. No heat map has it.
    package static let mask = RGBColor(red: 255, green: 94, blue: 0)
    /// Around the line of a mask, so that it is seen on any picture.
    package static let maskEdge = RGBColor(red: 0, green: 0, blue: 0)
    package static let right = RGBColor(red: 0, green: 92, blue: 72)
    package static let wrong = RGBColor(red: 176, green: 32, blue: 32)
    /// The squares behind transparent pixels.
    package static let checker = (
        RGBColor(red: 204, green: 204, blue: 204), RGBColor(red: 255, green: 255, blue: 255)
    )

    /// How much of the mask's colour its tint has.
    package static let tintShare = 0.4

    /// The colour of a share from 0 to 1 in a heat map: cividis, from dark blue to yellow, whose lightness grows evenly and which
    /// deuteranopes see as others do (Nuñez, Anderton and Renslow, "Optimizing colormaps with consideration for color vision
    /// deficiency", PLOS ONE 13, 2018), by the polynomials of d3-scale-chromatic.
    package static func heat(_ share: Double) -> RGBColor {
        let t = share.isFinite ? min(max(share, 0), 1) : 0
        let red = -4.54 - t * (35.34 - t * (2381.73 - t * (6402.7 - t * (7024.72 - t * 2710.57))))
        let green = 32.49 + t * (170.73 + t * (52.82 - t * (131.46 - t * (176.58 - t * 67.37))))
        let blue = 81.24 + t * (442.36 - t * (2482.43 - t * (6167.24 - t * (6614.94 - t * 2475.67))))
        return RGBColor(red: byte(red), green: byte(green), blue: byte(blue))
    }

    /// The bytes of `heat`, 256 steps of it, looked up once a pixel.
    package static let heatSteps: [RGBColor] = (0..<256).map { heat(Double($0) / 255) }

    /// A colour with a share of another over it.
    package static func blend(_ below: RGBColor, _ above: RGBColor, share: Double) -> RGBColor {
        func mix(_ one: UInt8, _ other: UInt8) -> UInt8 {
            byte(Double(one) * (1 - share) + Double(other) * share)
        }
        return RGBColor(
            red: mix(below.red, above.red), green: mix(below.green, above.green),
            blue: mix(below.blue, above.blue))
    }

    private static func byte(_ value: Double) -> UInt8 { UInt8(min(max(value.rounded(), 0), 255)) }
}
