internal import CPixelPlanes

/// The samples of pixels, brought from side by side to a plane for each channel.
package enum PixelPlanes {
    /// Spreads pixels of one byte a sample over planes.
    ///
    /// - Parameters:
    ///   - pixels: `channels * count` bytes, the samples of a pixel side by side.
    ///   - planes: where the bytes of the first channel go; those of the others are `planeSize` apart.
    package static func separate(
        _ pixels: UnsafePointer<UInt8>, channels: Int, count: Int, into planes: UnsafeMutablePointer<UInt8>,
        planeSize: Int
    ) {
        switch channels {
        case 1: planes.update(from: pixels, count: count)
        case 2...4: rr_separate(pixels, channels, count, planes, planeSize)
        default: separateAny(pixels, channels: channels, count: count, into: planes, planeSize: planeSize)
        }
    }

    /// The same for samples of any size.
    @inline(__always)
    static func separateAny<Sample: BitwiseCopyable>(
        _ pixels: UnsafePointer<Sample>, channels: Int, count: Int, into planes: UnsafeMutablePointer<Sample>,
        planeSize: Int
    ) {
        for channel in 0..<channels {
            let plane = planes + channel * planeSize
            for position in 0..<count { plane[position] = pixels[position * channels + channel] }
        }
    }
}
