internal import RRDatasets
internal import RRTensor

/// A resizing of the shorter side, of which the centre is cut out: how networks are usually shown photographs that they
/// are measured on.
///
/// It is torchvision's `Resize(shorterSide)` followed by `CenterCrop((height, width))`.
public struct ResizeCrop: Hashable, Sendable {
    /// The pixels of the shorter side before the centre is cut out.
    public let shorterSide: Int
    /// The rows of what comes out, at most `shorterSide`.
    public let height: Int
    /// The pixels in a row of what comes out, at most `shorterSide`.
    public let width: Int

    /// Reads `256:224` or `256:224x192`; nil for anything else, and where the crop is larger than what is resized.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let side = Int(parts[0]), 1...1_000_000 ~= side,
            let crop = PixelExtents(parts[1]), max(crop.height, crop.width) <= side
        else { return nil }
        (shorterSide, height, width) = (side, crop.height, crop.width)
    }

    /// The text that `init(_:)` reads.
    public var text: String { "\(shorterSide):\(height)x\(width)" }

    /// What becomes of images of a shape.
    func resampling(of shape: ImageShape) -> PictureResampling {
        let short = min(shape.height, shape.width)
        func axis(_ extent: Int, _ count: Int) -> ResizingAxis {
            // The longer side is rounded down, and the centre to even numbers, as torchvision does.
            let resized = extent == short ? shorterSide : shorterSide * extent / short
            let start = Int((Double(resized - count) / 2).rounded(.toNearestOrEven))
            return ResizingAxis(extent: extent, resizedTo: resized, from: start, count: count)
        }
        return PictureResampling(
            vertical: axis(shape.height, height), horizontal: axis(shape.width, width))
    }
}
