package import RRDatasets
package import RRFormats

/// A rectangle of coloured pixels.
package struct PixelPanel: Equatable, Sendable {
    package let width: Int
    package let height: Int
    /// `(H, W, 3)`, red, green and blue.
    package private(set) var samples: [UInt8]

    package init(width: Int, height: Int, color: RGBColor = Palette.paper) {
        self.width = width
        self.height = height
        samples = Array(repeating: 0, count: width * height * 3)
        fill(0..<width, 0..<height, color)
    }

    package subscript(row: Int, column: Int) -> RGBColor {
        get {
            let start = (row * width + column) * 3
            return RGBColor(red: samples[start], green: samples[start + 1], blue: samples[start + 2])
        }
        set {
            let start = (row * width + column) * 3
            samples[start] = newValue.red
            samples[start + 1] = newValue.green
            samples[start + 2] = newValue.blue
        }
    }

    /// Fills a rectangle, as far as it lies in the panel.
    package mutating func fill(_ columns: Range<Int>, _ rows: Range<Int>, _ color: RGBColor) {
        let columns = columns.clamped(to: 0..<width)
        for row in rows.clamped(to: 0..<height) {
            for column in columns { self[row, column] = color }
        }
    }

    /// Puts another panel into this one, as far as it lies in it.
    package mutating func place(_ panel: PixelPanel, x: Int, y: Int) {
        let columns = (x..<x + panel.width).clamped(to: 0..<width)
        for row in (y..<y + panel.height).clamped(to: 0..<height) {
            let source = ((row - y) * panel.width + columns.lowerBound - x) * 3
            let target = (row * width + columns.lowerBound) * 3
            samples.replaceSubrange(
                target..<target + columns.count * 3, with: panel.samples[source..<source + columns.count * 3])
        }
    }

    /// - Throws: `FormatError` with the code `unsupported` where there is no PNG of this size.
    package func png() throws(FormatError) -> [UInt8] {
        try PNGEncoder.encode(
            PNGImage(width: width, height: height, channels: 3, bitDepth: 8, samples: samples))
    }
}
