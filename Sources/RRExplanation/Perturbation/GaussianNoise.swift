import Glibc

/// Adds normal noise to images, for gradients that are means over noisy copies.
///
/// Source: Smilkov, Thorat, Kim, Viégas and Wattenberg, "SmoothGrad: removing noise by adding noise", 2017, where the
/// deviation is likewise a share of the range of values. Nothing is clipped.
///
/// The noise of the elements 2i and 2i + 1 of (C, H, W) in copy j is, by Box and Muller (1958), the deviation times
/// √(−2 ln(1 − u)) · cos 2πv and √(−2 ln(1 − u)) · sin 2πv with u = u_2i and v = u_(2i+1) of the copy's `SampleNoise`.
package struct GaussianNoise: Sendable {
    package let seed: UInt64
    /// The standard deviation as a share of the range of values.
    package let deviation: Double
    package let range: ImageValueRange

    package init(seed: UInt64, deviation: Double, range: ImageValueRange) {
        self.seed = seed
        self.deviation = deviation
        self.range = range
    }

    /// Makes a noisy copy of an image as it is before normalisation.
    ///
    /// - Parameters:
    ///   - index: the sample's row in its dataset.
    ///   - copy: the number of the copy, from 1.
    package func apply(to image: UnsafeMutableBufferPointer<Float>, index: Int64, copy: Int) {
        let start = SampleNoise.start(seed: seed, index: index, copy: copy)
        let (low, high) = range.bounds(of: image)
        let scale = deviation * (high - low)
        for position in stride(from: 0, to: image.count, by: 2) {
            let radius = scale * (-2 * log(1 - SampleNoise.unit(start, at: position))).squareRoot()
            let angle = 2 * Double.pi * SampleNoise.unit(start, at: position + 1)
            image[position] = Float(Double(image[position]) + radius * cos(angle))
            if position + 1 < image.count {
                image[position + 1] = Float(Double(image[position + 1]) + radius * sin(angle))
            }
        }
    }
}
