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
