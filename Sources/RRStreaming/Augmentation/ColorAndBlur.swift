internal import Glibc
internal import RRTensor

/// Turns the hue of an RGB image `(3, H, W)` by a share of the colour circle, as torchvision's `adjust_hue`.
///
/// A channel of a colour with the largest value v, the chroma c and the hue h of 0 to 6 is v − c · max(0, min(k, 4 − k,
/// 1)), k being (n + h) mod 6 and n 5, 3 and 1 for red, green and blue, which is the way back from HSV.
func turnHue(of image: UnsafeMutableBufferPointer<Float>, by share: Float) {
    let count = image.count / 3
    guard let red = image.baseAddress, image.count == 3 * count else { return }
    let (green, blue) = (red + count, red + 2 * count)
    let shift = share < 0 ? 6 * (1 + share) : 6 * share
    for position in 0..<count {
        let (r, g, b) = (red[position], green[position], blue[position])
        let largest = max(r, max(g, b))
        let chroma = largest - min(r, min(g, b))
        let divisor = chroma == 0 ? 1 : chroma
        let ofRed = (g - b) / divisor + (g < b ? 6 : 0)
        let ofGreen = (b - r) / divisor + 2
        let ofBlue = (r - g) / divisor + 4
        let hue = (largest == r ? ofRed : largest == g ? ofGreen : ofBlue) + shift
        func channel(_ number: Float) -> Float {
            var k = number + hue
            k -= k >= 12 ? 12 : k >= 6 ? 6 : 0
            return largest - chroma * max(0, min(k, min(4 - k, 1)))
        }
        red[position] = channel(5)
        green[position] = channel(3)
        blue[position] = channel(1)
    }
}

/// Blurs the planes of an image with a Gaussian filter, what lies outside being mirrored at the outermost pixels, as
/// torchvision's `gaussian_blur`.
///
/// - Parameters:
///   - size: the filter's pixels in each direction, odd; half of it is less than the image's short side.
///   - deviation: the filter's standard deviation in pixels.
func blur(
    _ image: UnsafeMutableBufferPointer<Float>, _ shape: ImageShape, size: Int, deviation: Double,
    _ scratch: PictureScratch
) {
    let (height, width, reach) = (shape.height, shape.width, size / 2)
    scratch.weights.removeAll(keepingCapacity: true)
    var sum = 0.0
    for offset in -reach...reach { sum += gaussian(offset, deviation) }
    for offset in -reach...reach { scratch.weights.append(Float(gaussian(offset, deviation) / sum)) }
    let memory = scratch.floats(shape.pixelCount + width + 2 * reach)
    guard let image = image.baseAddress, let original = memory.baseAddress else { return }
    let line = original + shape.pixelCount
    scratch.weights.withUnsafeBufferPointer { weights in
        for channel in 0..<shape.channels {
            let plane = image + channel * shape.pixelCount
            original.update(from: plane, count: shape.pixelCount)
            for row in 0..<height {
                for column in 0..<width { line[reach + column] = 0 }
                for tap in 0..<size {
                    let source = original + mirrored(row + tap - reach, height) * width
                    let weight = weights[tap]
                    for column in 0..<width { line[reach + column] += weight * source[column] }
                }
                for offset in 0..<reach {
                    line[offset] = line[2 * reach - offset]
                    line[reach + width + offset] = line[reach + width - 2 - offset]
                }
                let target = plane + row * width
                for column in 0..<width { target[column] = 0 }
                for tap in 0..<size {
                    let weight = weights[tap]
                    for column in 0..<width { target[column] += weight * line[column + tap] }
                }
            }
        }
    }
}

private func gaussian(_ offset: Int, _ deviation: Double) -> Double {
    let distance = Double(offset) / deviation
    return exp(-distance * distance / 2)
}

private func mirrored(_ position: Int, _ count: Int) -> Int {
    position < 0 ? -position : position >= count ? 2 * count - 2 - position : position
}
