internal import Glibc
internal import RRDatasets
package import RRTensor

/// Draws images of one shape, their masks and what a model looks at, as panels of one size.
///
/// Small images are enlarged by a whole number, each pixel a square. Of larger ones a pixel of the panel has the mean colour of those
/// that it covers, the largest attribution among them, and the mask where it marks any: a thin mark or a lone peak stays visible.
package struct PanelPainter: Sendable {
    private let shape: ImageShape
    package let width: Int
    package let height: Int

    /// - Parameters:
    ///   - shape: `(C, H, W)` of the images.
    ///   - edge: the pixels that the longer side of a panel has at most, at least 1.
    package init(shape: ImageShape, edge: Int) {
        self.shape = shape
        let longer = max(1, shape.height, shape.width)
        func extent(_ pixels: Int) -> Int {
            longer <= edge ? pixels * (edge / longer) : max(1, (pixels * edge + longer / 2) / longer)
        }
        width = extent(shape.width)
        height = extent(shape.height)
    }

    /// The columns of an image that a column of the panel shows.
    private func columns(_ column: Int) -> Range<Int> {
        Self.span(column, of: width, in: shape.width)
    }

    private func rows(_ row: Int) -> Range<Int> { Self.span(row, of: height, in: shape.height) }

    private static func span(_ place: Int, of count: Int, in extent: Int) -> Range<Int> {
        let start = place * extent / count
        return start..<max(start + 1, (place + 1) * extent / count)
    }

    /// An image.
    ///
    /// - Parameter elements: `(C, H, W)`; values from 0 to 1 are shown as they are, others from the image's smallest to its
    ///   largest.
    package func picture(_ elements: [Float]) -> PixelPanel {
        let colors = pixelColors(elements)
        var panel = PixelPanel(width: width, height: height)
        for row in 0..<height {
            for column in 0..<width {
                let (rows, columns) = (rows(row), columns(column))
                var sums = SIMD3<Int>.zero
                for y in rows {
                    for x in columns {
                        let color = colors[y * shape.width + x]
                        sums &+= SIMD3(Int(color.red), Int(color.green), Int(color.blue))
                    }
                }
                let count = rows.count * columns.count
                let means = (sums &+ SIMD3(repeating: count / 2)) / SIMD3(repeating: count)
                panel[row, column] = RGBColor(
                    red: UInt8(means.x), green: UInt8(means.y), blue: UInt8(means.z))
            }
        }
        return panel
    }

    /// The colour of each pixel, `(H, W)`: gray, gray and alpha, RGB or RGBA; of another number of channels their mean as gray.
    private func pixelColors(_ elements: [Float]) -> [RGBColor] {
        let count = shape.pixelCount
        let finite = elements.lazy.filter(\.isFinite)
        let (low, high) = (finite.min() ?? 0, finite.max() ?? 0)
        let isUnit = low >= 0 && high <= 1
        let scale = isUnit ? 1 : high > low ? 1 / (high - low) : 0
        func share(_ channel: Int, _ pixel: Int) -> Float {
            let value = elements[channel * count + pixel]
            guard value.isFinite else { return 0 }
            return min(max(isUnit ? value : (value - low) * scale, 0), 1)
        }
        func byte(_ share: Float) -> UInt8 { UInt8((share * 255).rounded()) }
        return (0..<count).map { pixel in
            switch shape.channels {
            case 2, 4:
                let (row, column) = pixel.quotientAndRemainder(dividingBy: max(1, shape.width))
                let isLight = (row * 8 / max(1, shape.height) + column * 8 / max(1, shape.width)) % 2 == 0
                let behind = isLight ? Palette.checker.1 : Palette.checker.0
                let channels = shape.channels == 2 ? (0, 0, 0) : (0, 1, 2)
                let color = RGBColor(
                    red: byte(share(channels.0, pixel)), green: byte(share(channels.1, pixel)),
                    blue: byte(share(channels.2, pixel)))
                return Palette.blend(behind, color, share: Double(share(shape.channels - 1, pixel)))
            case 3:
                return RGBColor(
                    red: byte(share(0, pixel)), green: byte(share(1, pixel)), blue: byte(share(2, pixel)))
            default:
                let sum = (0..<shape.channels).reduce(Float(0)) { $0 + share($1, pixel) }
                let gray = byte(sum / Float(max(1, shape.channels)))
                return RGBColor(red: gray, green: gray, blue: gray)
            }
        }
    }

    /// What a model looks at, from dark to light: √(a / the largest a), which keeps the order and shows more than the peak.
    ///
    /// - Parameter magnitudes: `(H, W)`, from 0 on.
    package func heat(_ magnitudes: [Float]) -> PixelPanel {
        let largest = magnitudes.max() ?? 0
        var panel = PixelPanel(width: width, height: height, color: Palette.heatSteps[0])
        guard largest > 0, largest.isFinite else { return panel }
        for row in 0..<height {
            for column in 0..<width {
                var peak: Float = 0
                for y in rows(row) {
                    for x in columns(column) { peak = max(peak, magnitudes[y * shape.width + x]) }
                }
                panel[row, column] = Palette.heatSteps[Int(((peak / largest).squareRoot() * 255).rounded())]
            }
        }
        return panel
    }

    /// Marks where a mask is 1.
    ///
    /// - Parameters:
    ///   - mask: `(H, W)`, 0 and 1.
    ///   - isTinted: whether what lies inside is tinted too.
    package func mark(_ mask: [UInt8], on panel: inout PixelPanel, isTinted: Bool) {
        var inside = Array(repeating: false, count: width * height)
        for row in 0..<height {
            for column in 0..<width {
                inside[row * width + column] = rows(row).contains { y in
                    columns(column).contains { mask[y * shape.width + $0] != 0 }
                }
            }
        }
        func isInside(_ row: Int, _ column: Int) -> Bool {
            0..<height ~= row && 0..<width ~= column && inside[row * width + column]
        }
        for row in 0..<height {
            for column in 0..<width {
                let neighbours = [(row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)]
                if isInside(row, column) {
                    let isLine = !neighbours.allSatisfy(isInside)
                    if isLine {
                        panel[row, column] = Palette.mask
                    } else if isTinted {
                        panel[row, column] = Palette.blend(
                            panel[row, column], Palette.mask, share: Palette.tintShare)
                    }
                } else if neighbours.contains(where: isInside) {
                    panel[row, column] = Palette.maskEdge
                }
            }
        }
    }
}
