/// The colours that the numbers of a PNG file's palette stand for (PNG, 11.2.2 and 11.3.1.1).
package struct PNGPalette: Sendable {
    package struct Color: Sendable, Hashable {
        package let red: UInt8
        package let green: UInt8
        package let blue: UInt8
        /// 255 where the colour is opaque.
        package let alpha: UInt8

        package init(red: UInt8, green: UInt8, blue: UInt8, alpha: UInt8 = 255) {
            (self.red, self.green, self.blue, self.alpha) = (red, green, blue, alpha)
        }

        /// The level of gray, 0 to 255; nil for a colour, and for what is not opaque.
        package var gray: Int? { red == green && red == blue && alpha == 255 ? Int(red) : nil }

        /// `FF8000`
        package var hexadecimal: String {
            [red, green, blue].map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }.joined()
        }
    }

    /// By the numbers of the palette.
    package let colors: [Color]

    /// Reads the palette of a file that was found sound; empty where it has none.
    package init(of bytes: UnsafeRawBufferPointer) {
        var colors: [Color] = []
        var offset = 8
        while let chunk = PNGChunk(bytes, at: offset), chunk.type != PNGChunk.imageData {
            if chunk.type == PNGChunk.palette {
                colors = stride(from: chunk.data.lowerBound, to: chunk.data.upperBound - 2, by: 3).prefix(256)
                    .map { Color(red: bytes[$0], green: bytes[$0 + 1], blue: bytes[$0 + 2]) }
            } else if chunk.type == PNGChunk.transparency {
                for (number, alpha) in bytes[chunk.data].prefix(colors.count).enumerated() {
                    let color = colors[number]
                    colors[number] = Color(
                        red: color.red, green: color.green, blue: color.blue, alpha: alpha)
                }
            }
            offset = chunk.end
        }
        self.colors = colors
    }
}
