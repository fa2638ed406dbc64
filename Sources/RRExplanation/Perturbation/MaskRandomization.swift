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
