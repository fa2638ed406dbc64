internal import Glibc
package import RRNetworks
package import RRTensor

/// What becomes of the probability of the predicted class as pixels go, or come, in the order in which the input gradient ranks
/// them: the deletion and the insertion of Petsiuk, Das and Saenko, "RISE: randomized input sampling for explanation of
/// black-box models", BMVC 2018.
///
/// Pixels are ranked by |g| summed over channels, of equal ones the first in (H, W). In S steps, after step s the
/// ⌊s · H · W / S⌋ highest are 0, as the network sees it, for the deletion; for the insertion all others are those of the
/// image blurred by 11 × 11 pixels with a standard deviation of 5 and zeros beyond its border, after the paper's code. The
/// area is that under the probability of the class that is predicted for the whole image, by the trapezoidal rule
/// over the share of pixels. Where the gradient ranks well, the deletion is low and the insertion high.
///
/// They mislead: images with holes are like none that the network was trained on, so that it may be its confusion that is
/// measured (Hooker et al., "A benchmark for interpretability methods", NeurIPS 2019), and a confident network has other areas
/// than an unsure one. They say whether g tells what the model looks at, not whether that is right; masks play no part.
public struct PixelCurves: Equatable, Sendable {
    /// The number of steps S.
    public let stepCount: Int
    /// The mean probability of the predicted class after each step, from none to all pixels: S + 1 values.
    public private(set) var deletion: [Double]
    public private(set) var insertion: [Double]
    /// The samples that the means are over: those with an input gradient that is finite and not zero throughout.
    public private(set) var sampleCount = 0
    private var sums: (deletion: Double, insertion: Double) = (0, 0)

    /// The largest number of steps.
    public static let largestStepCount = 1000

    /// - Parameter stepCount: from 1 on.
    package init(stepCount: Int) {
        self.stepCount = stepCount
        deletion = Array(repeating: 0, count: stepCount + 1)
        insertion = deletion
    }

    /// The mean area of the deletion; nil without samples.
    public var deletionArea: Double? { sampleCount == 0 ? nil : sums.deletion / Double(sampleCount) }

    /// The mean area of the insertion; nil without samples.
    public var insertionArea: Double? { sampleCount == 0 ? nil : sums.insertion / Double(sampleCount) }

    /// Adds a sample by the probabilities after each step.
    package mutating func add(deletion: [Double], insertion: [Double]) {
        sampleCount += 1
        for step in 0...stepCount {
            self.deletion[step] += (deletion[step] - self.deletion[step]) / Double(sampleCount)
            self.insertion[step] += (insertion[step] - self.insertion[step]) / Double(sampleCount)
        }
        sums.deletion += Self.area(deletion)
        sums.insertion += Self.area(insertion)
    }

    /// By the trapezoidal rule over [0, 1].
    static func area(_ values: [Double]) -> Double {
        let inner = values.reduce(0, +) - (values[0] + values[values.count - 1]) / 2
        return inner / Double(values.count - 1)
    }

    public static func == (left: Self, right: Self) -> Bool {
        left.deletion == right.deletion && left.insertion == right.insertion && left.sums == right.sums
            && left.sampleCount == right.sampleCount
    }
}

/// The images of a sample with some of its pixels deleted or inserted.
package struct PixelOrder: Sendable {
    private let shape: ImageShape
    /// Places (H, W) from the highest rank on.
    private let order: [Int]

    /// - Returns: nil for a gradient with an element that is not finite, or that is zero throughout.
    package init?<Scalar: NetworkScalar>(_ gradient: UnsafeBufferPointer<Scalar>, of shape: ImageShape) {
        let pixelCount = shape.pixelCount
        let ranks = (0..<pixelCount).map { pixel in
            stride(from: pixel, to: gradient.count, by: pixelCount).reduce(into: 0.0) {
                $0 += Double(gradient[$1].magnitude)
            }
        }
        guard ranks.allSatisfy(\.isFinite), ranks.contains(where: { $0 > 0 }) else { return nil }
        self.shape = shape
        order = ranks.indices.sorted { (ranks[$1], $0) < (ranks[$0], $1) }
    }

    /// Sets the highest pixels of an image, as the network sees it, to 0.
    package func delete(_ image: UnsafeMutableBufferPointer<Float>, step: Int, of stepCount: Int) {
        for place in order[..<(step * order.count / stepCount)] {
            for element in stride(from: place, to: image.count, by: order.count) { image[element] = 0 }
        }
    }

    /// Takes all but the highest pixels of an image from the blurred one.
    package func insert(
        _ image: UnsafeMutableBufferPointer<Float>, step: Int, of stepCount: Int,
        blurred: UnsafeBufferPointer<Float>
    ) {
        for place in order[(step * order.count / stepCount)...] {
            for element in stride(from: place, to: image.count, by: order.count) {
                image[element] = blurred[element]
            }
        }
    }

    /// Blurs an image `(C, H, W)`: a Gaussian of 11 × 11 pixels and a standard deviation of 5, zeros beyond the border.
    package static func blur(_ image: UnsafeBufferPointer<Float>, shape: ImageShape) -> [Float] {
        let (height, width) = (shape.height, shape.width)
        var rows = Array(repeating: 0.0, count: image.count)
        var blurred = Array(repeating: Float(0), count: image.count)
        for (element, value) in image.enumerated() {
            let column = element % width
            for (tap, weight) in kernel.enumerated() {
                let target = column + tap - kernel.count / 2
                if 0..<width ~= target { rows[element - column + target] += weight * Double(value) }
            }
        }
        for element in blurred.indices {
            let row = element / width % height
            var sum = 0.0
            for (tap, weight) in kernel.enumerated() {
                let source = row + tap - kernel.count / 2
                if 0..<height ~= source { sum += weight * rows[element + (source - row) * width] }
            }
            blurred[element] = Float(sum)
        }
        return blurred
    }

    private static let kernel: [Double] = {
        let values = (-5...5).map { exp(-Double($0 * $0) / 50) }
        return values.map { $0 / values.reduce(0, +) }
    }()
}
