import Glibc
internal import RRTensor

/// The range that an image's values could come from, before normalisation.
package enum ImageValueRange: Sendable {
    /// 0 to 1: of integers, which were divided by their largest.
    case unit
    /// From the smallest to the largest value of the image at hand: of floating-point numbers.
    case ofImage

    /// The lower and the upper bound for an image.
    package func bounds(of image: UnsafeMutableBufferPointer<Float>) -> (low: Double, high: Double) {
        switch self {
        case .unit: return (0, 1)
        case .ofImage:
            var (low, high) = (Float.infinity, -Float.infinity)
            for index in 0..<image.count {
                low = min(low, image[index])
                high = max(high, image[index])
            }
            return image.isEmpty ? (0, 0) : (Double(low), Double(high))
        }
    }
}

/// The random numbers that change a sample: a pure function of the seed, the sample and the number of its copy.
///
/// With `mix` the output function of SplitMix64 and all sums modulo 2⁶⁴, the generator of a sample is SplitMix64 that
/// starts from mix(mix(seed) + index), and that of its copy j, from 1 on, from mix(mix(mix(seed) + index) + j). Its output
/// number d, from 0, is mix(start + (d + 1) · 0x9E3779B97F4A7C15); a number u_d in [0, 1) is the output's upper 53 bits
/// times 2⁻⁵³.
package enum SampleNoise {
    /// The state that the generator of a sample, or of one of its copies, starts from.
    package static func start(seed: UInt64, index: Int64, copy: Int? = nil) -> UInt64 {
        let sample = SplitMix64.mix(SplitMix64.mix(seed) &+ UInt64(bitPattern: index))
        return copy.map { SplitMix64.mix(sample &+ UInt64(bitPattern: Int64($0))) } ?? sample
    }

    /// u_d, without the outputs before it.
    package static func unit(_ start: UInt64, at position: Int) -> Double {
        let state = start &+ UInt64(bitPattern: Int64(position + 1)) &* 0x9E37_79B9_7F4A_7C15
        return Double(SplitMix64.mix(state) >> 11) * 0x1p-53
    }
}

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

/// Replaces the masked elements of images by random values.
///
/// The element at position d of (C, H, W) becomes low + (high − low) · u_d, rounded to float, with u_d of
/// `SampleNoise` and low and high of the image's `ImageValueRange`; every channel of a pixel by itself.
package struct MaskRandomization: Sendable {
    package let seed: UInt64
    package let range: ImageValueRange

    package init(seed: UInt64, range: ImageValueRange) {
        self.seed = seed
        self.range = range
    }

    /// Changes an image as it is before normalisation.
    ///
    /// - Parameters:
    ///   - mask: as many elements as the image, 0 or 1.
    ///   - index: the sample's row in its dataset.
    package func apply(
        to image: UnsafeMutableBufferPointer<Float>, mask: UnsafeBufferPointer<UInt8>, index: Int64
    ) {
        let start = SampleNoise.start(seed: seed, index: index)
        let (low, high) = range.bounds(of: image)
        for position in 0..<image.count where mask[position] != 0 {
            image[position] = Float(low + (high - low) * SampleNoise.unit(start, at: position))
        }
    }
}
