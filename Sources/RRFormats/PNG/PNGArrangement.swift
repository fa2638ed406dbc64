/// The order of a decoded image's samples.
package enum PNGArrangement: Sendable {
    /// The samples of a pixel side by side, `(H, W, C)`.
    case interleaved
    /// A plane for each channel, `(C, H, W)`.
    case planar

    /// Spreads pixels over planes.
    ///
    /// - Parameters:
    ///   - source: `channels * count` samples.
    ///   - target: where the samples of the first channel go; those of the others are `planeSize` apart.
    @inline(__always)
    static func separate<Sample: BitwiseCopyable>(
        _ source: UnsafePointer<Sample>, channels: Int, count: Int, into target: UnsafeMutablePointer<Sample>,
        planeSize: Int
    ) {
        switch channels {
        case 3:
            let (red, green, blue) = (target, target + planeSize, target + 2 * planeSize)
            var pixel = source
            for position in 0..<count {
                red[position] = pixel[0]
                green[position] = pixel[1]
                blue[position] = pixel[2]
                pixel += 3
            }
        default:
            for channel in 0..<channels {
                let plane = target + channel * planeSize
                for position in 0..<count { plane[position] = source[position * channels + channel] }
            }
        }
    }
}
