import RRDatasets
import Testing

@testable import RRReports

@Suite("colours of pictures")
struct PaletteTests {
    /// CIE L*a*b* of a colour, of daylight (D65).
    private func lab(_ color: SIMD3<Double>) -> SIMD3<Double> {
        let (x, y, z) = (
            0.4124 * color.x + 0.3576 * color.y + 0.1805 * color.z,
            0.2126 * color.x + 0.7152 * color.y + 0.0722 * color.z,
            0.0193 * color.x + 0.1192 * color.y + 0.9505 * color.z
        )
        func root(_ t: Double) -> Double {
            t > 0.008856 ? Self.cubeRoot(t) : 7.787 * t + 16.0 / 116
        }
        let (fx, fy, fz) = (root(x / 0.9505), root(y), root(z / 1.089))
        return SIMD3(116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz))
    }

    private static func cubeRoot(_ value: Double) -> Double {
        var root = max(value, 0.1)
        for _ in 0..<40 { root -= (root * root * root - value) / (3 * root * root) }
        return root
    }

    private func linear(_ color: RGBColor) -> SIMD3<Double> {
        func linear(_ byte: UInt8) -> Double {
            let value = Double(byte) / 255
            // x^2.4 by x² · x^0.4, close enough for distances.
            return value <= 0.04045 ? value / 12.92 : Self.power((value + 0.055) / 1.055)
        }
        return SIMD3(linear(color.red), linear(color.green), linear(color.blue))
    }

    /// value^2.4 = value² · (value²)^(1/5)
    private static func power(_ value: Double) -> Double {
        let square = value * value
        var root = 0.5
        for _ in 0..<60 {
            root -= (root * root * root * root * root - square) / (5 * root * root * root * root)
        }
        return square * root
    }

    /// What a deuteranope sees, by Machado, Oliveira and Fernandes, "A physiologically-based model for simulation of color
    /// vision deficiency", 2009, for linear RGB.
    private func deuteranopic(_ color: SIMD3<Double>) -> SIMD3<Double> {
        let seen = SIMD3(
            0.367322 * color.x + 0.860646 * color.y - 0.227968 * color.z,
            0.280085 * color.x + 0.672501 * color.y + 0.047413 * color.z,
            -0.011820 * color.x + 0.042940 * color.y + 0.968881 * color.z)
        return seen.clamped(lowerBound: .zero, upperBound: .one)
    }

    private func distance(_ one: SIMD3<Double>, _ other: SIMD3<Double>) -> Double {
        let difference = one - other
        return (difference * difference).sum().squareRoot()
    }

    @Test("a heat map grows lighter evenly, for deuteranopes too")
    func heat() {
        for sees in [{ $0 }, deuteranopic] {
            let steps = (0...32).map { lab(sees(linear(Palette.heat(Double($0) / 32)))) }
            for (one, next) in zip(steps, steps.dropFirst()) {
                #expect(next.x - one.x > 1 && next.x - one.x < 5)
            }
        }
        #expect(Palette.heat(-1) == Palette.heat(0) && Palette.heat(.nan) == Palette.heat(0))
        #expect(Palette.heat(2) == Palette.heat(1))
    }

    @Test("a mask's line differs from its edge, and both from every heat, for deuteranopes too")
    func mask() {
        for sees in [{ $0 }, deuteranopic] {
            func seen(_ color: RGBColor) -> SIMD3<Double> { lab(sees(linear(color))) }
            #expect(distance(seen(Palette.mask), seen(Palette.maskEdge)) > 50)
            for step in 0...32 {
                let heat = seen(Palette.heat(Double(step) / 32))
                // One of the two lines is far from whatever is around.
                #expect(
                    max(distance(heat, seen(Palette.mask)), distance(heat, seen(Palette.maskEdge))) > 40)
                #expect(distance(heat, seen(Palette.mask)) > 20)
            }
            #expect(distance(seen(Palette.right), seen(Palette.wrong)) > 15)
            for gray in stride(from: 0, through: 255, by: 15) {
                let below = RGBColor(red: UInt8(gray), green: UInt8(gray), blue: UInt8(gray))
                let tinted = Palette.blend(below, Palette.mask, share: Palette.tintShare)
                #expect(distance(seen(below), seen(tinted)) > 15)
            }
        }
    }

    @Test(
        "text can be read on paper (WCAG 2.2, 1.4.3)",
        arguments: [Palette.ink, Palette.quietInk, Palette.right, Palette.wrong])
    func contrast(_ color: RGBColor) {
        func luminance(_ color: RGBColor) -> Double {
            (linear(color) * SIMD3(0.2126, 0.7152, 0.0722)).sum()
        }
        #expect((luminance(Palette.paper) + 0.05) / (luminance(color) + 0.05) >= 4.5)
    }
}
