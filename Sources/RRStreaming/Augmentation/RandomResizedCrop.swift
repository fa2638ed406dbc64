internal import Glibc
internal import RRTensor

/// A part of the image of random size, proportions and place, resampled to one size.
///
/// The parts are drawn as by torchvision's `RandomResizedCrop` (Szegedy et al., "Going deeper with convolutions", CVPR
/// 2015), with the random numbers of a stream.
public struct RandomResizedCrop: Hashable, Sendable {
    /// The rows of what comes out.
    public let height: Int
    /// The pixels in a row of what comes out.
    public let width: Int
    /// The part's share of the image's area, above 0, at most 1.
    public let area: ClosedRange<Double>
    /// The part's width over its height, drawn uniformly by its logarithm.
    public let ratio: ClosedRange<Double>

    static let usualArea = 0.08...1.0
    static let usualRatio = 3.0 / 4...4.0 / 3
    private static let tries = 10

    /// Draws a part of images of a shape.
    ///
    /// After ten tries of which none lies in the image, it is the largest centred part of the nearest proportions.
    func draw(_ shape: ImageShape, _ generator: inout SplitMix64) -> PixelBox {
        let (height, width) = (shape.height, shape.width)
        let logarithms = (log(ratio.lowerBound), log(ratio.upperBound))
        for _ in 0..<Self.tries {
            let pixels = Double(shape.pixelCount) * generator.nextUnit(in: area.lowerBound, area.upperBound)
            let proportion = exp(generator.nextUnit(in: logarithms.0, logarithms.1))
            let size = (
                height: Self.rounded((pixels / proportion).squareRoot()),
                width: Self.rounded((pixels * proportion).squareRoot())
            )
            guard 1...height ~= size.height, 1...width ~= size.width else { continue }
            let top = generator.next(below: height - size.height + 1)
            let left = generator.next(below: width - size.width + 1)
            return PixelBox(top: top, left: left, height: size.height, width: size.width)
        }
        var size = (height: height, width: width)
        let proportion = Double(width) / Double(height)
        if proportion < ratio.lowerBound {
            size.height = min(height, max(1, Self.rounded(Double(width) / ratio.lowerBound)))
        } else if proportion > ratio.upperBound {
            size.width = min(width, max(1, Self.rounded(Double(height) * ratio.upperBound)))
        }
        return PixelBox(
            top: (height - size.height) / 2, left: (width - size.width) / 2, height: size.height,
            width: size.width)
    }

    /// Halves go to the even number; the ranges of `init` keep what is rounded far below 2⁶³.
    private static func rounded(_ value: Double) -> Int { Int(value.rounded(.toNearestOrEven)) }
}

/// Some rows and columns of an image.
struct PixelBox: Equatable {
    let top: Int
    let left: Int
    let height: Int
    let width: Int
}

extension SplitMix64 {
    /// A whole number from 0 to `count` − 1.
    mutating func next(below count: Int) -> Int {
        Int(next().multipliedFullWidth(by: UInt64(count)).high)
    }

    /// low + (high − low) · unit.
    mutating func nextUnit(in low: Double, _ high: Double) -> Double { low + (high - low) * nextUnit() }
}
