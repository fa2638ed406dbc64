internal import CPixelPlanes
internal import RRDatasets
internal import RRTensor

/// How each position of a resampled axis is made: a triangle filter as wide as the target's pixels, which is linear
/// interpolation where an image grows and antialiased where it shrinks.
///
/// The weights are those of PyTorch's `interpolate(…, mode="bilinear", antialias=True)`.
struct ResamplingWindows {
    private(set) var starts: [Int] = []
    /// The weights of position i are those from `firsts[i]` to `firsts[i + 1]`.
    private(set) var firsts: [Int] = []
    private(set) var weights: [Float] = []

    /// Sets the windows of an axis, in memory that is kept.
    mutating func set(_ axis: ResizingAxis) {
        starts.removeAll(keepingCapacity: true)
        firsts.removeAll(keepingCapacity: true)
        weights.removeAll(keepingCapacity: true)
        let radius = axis.radius
        firsts.append(0)
        for position in 0..<axis.count {
            let (center, window) = (axis.center(position), axis.window(position))
            var sum = 0.0
            for source in window { sum += Self.share(source, center, radius) }
            starts.append(window.lowerBound)
            for source in window {
                weights.append(Float(Self.share(source, center, radius) / sum))
            }
            firsts.append(weights.count)
        }
    }

    private static func share(_ source: Int, _ center: Double, _ radius: Double) -> Double {
        max(0, 1 - abs((Double(source) - center + 0.5) / radius))
    }
}

/// A part of an image that becomes the whole of another.
struct PictureResampling {
    /// Where the axes' sources begin in the image.
    let top: Int
    let left: Int
    let vertical: ResizingAxis
    let horizontal: ResizingAxis

    init(_ box: PixelBox, height: Int, width: Int) {
        (top, left) = (box.top, box.left)
        vertical = ResizingAxis(extent: box.height, to: height)
        horizontal = ResizingAxis(extent: box.width, to: width)
    }

    init(vertical: ResizingAxis, horizontal: ResizingAxis) {
        (top, left) = (0, 0)
        self.vertical = vertical
        self.horizontal = horizontal
    }

    /// Resamples all channels, into the scratch and from there back to the image's place.
    ///
    /// - Parameters:
    ///   - shape: that of the image as it is.
    ///   - image: memory of as many elements as the larger of the two images has, at least.
    func resample(
        _ image: UnsafeMutableBufferPointer<Float>, _ shape: ImageShape, _ scratch: PictureScratch
    ) {
        let (channels, size) = (shape.channels, vertical.count * horizontal.count)
        scratch.rows.set(vertical)
        scratch.columns.set(horizontal)
        // As much as the widest part of such images takes, so that no other part takes more.
        let width = max(horizontal.extent, shape.width)
        let memory = scratch.floats(channels * size + (2 * width + horizontal.count + 24) * 8)
        guard let image = image.baseAddress, let resampled = memory.baseAddress else { return }
        scratch.rows.withAxis { rows in
            scratch.columns.withAxis { columns in
                for channel in 0..<channels {
                    rr_resample_floats(
                        image + channel * shape.pixelCount + top * shape.width + left, shape.width,
                        horizontal.extent, rows, columns, resampled + channels * size,
                        resampled + channel * size)
                }
            }
        }
        image.update(from: resampled, count: channels * size)
    }

    /// Brings the channels of a mask to the same geometry: each pixel takes the one that holds its centre, as PyTorch's
    /// `nearest-exact`.
    ///
    /// - Parameters:
    ///   - mask: memory of as many elements as the larger of the two masks has, at least.
    ///   - channels: those of the mask.
    ///   - shape: that of the image as it is.
    func pick(
        _ mask: UnsafeMutableBufferPointer<UInt8>, channels: Int, _ shape: ImageShape,
        _ scratch: PictureScratch
    ) {
        let source = scratch.copy(
            of: UnsafeMutableBufferPointer(rebasing: mask[..<(channels * shape.pixelCount)]))
        let (rowCount, columnCount) = (vertical.count, horizontal.count)
        for channel in 0..<channels {
            for row in 0..<rowCount {
                let start =
                    channel * shape.pixelCount + (top + vertical.nearest(row)) * shape.width + left
                let target = (channel * rowCount + row) * columnCount
                for column in 0..<columnCount {
                    mask[target + column] = source[start + horizontal.nearest(column)]
                }
            }
        }
    }
}

extension ResamplingWindows {
    fileprivate func withAxis(_ body: (rr_float_axis) -> Void) {
        starts.withUnsafeBufferPointer { starts in
            firsts.withUnsafeBufferPointer { firsts in
                weights.withUnsafeBufferPointer { weights in
                    body(
                        rr_float_axis(
                            starts: starts.baseAddress, firsts: firsts.baseAddress,
                            weights: weights.baseAddress, count: starts.count))
                }
            }
        }
    }
}
