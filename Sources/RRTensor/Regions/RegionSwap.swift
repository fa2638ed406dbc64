/// Replaces what lies inside one image's mask A by what lies inside that of another, the donor.
///
/// A pixel inside A takes the donor's value at the same place where the donor's A marks it too, and else that of the
/// nearest pixel inside the donor's A: what the donor shows outside its A, its object, is erased. Where A is a background,
/// the image's object stands before the donor's background; with both masks inverted, the donor's object stands in the
/// image's background. Each channel is filled by itself. "Nearest" is the exact Euclidean distance; of equally near pixels
/// it is the one in the leftmost column, in that column the upper one.
///
/// A donor whose mask marks nothing has nothing to give and is refused. Where it marks something in other channels only, a
/// channel takes the pixels that any channel marks.
public struct RegionSwap {
    /// The shape `(C, H, W)` of images.
    public let shape: ImageShape

    private var nearest: NearestMarkedPixels
    /// A plane of pixels that any channel of the donor marks.
    private var union: [UInt8]

    /// - Parameter shape: that of the images, with fewer than 2³¹ pixels.
    public init(shape: ImageShape) {
        self.shape = shape
        nearest = NearestMarkedPixels(height: shape.height, width: shape.width)
        union = Array(repeating: 0, count: shape.pixelCount)
    }

    /// Returns an image with what lies inside its mask replaced by a donor's.
    ///
    /// - Parameters:
    ///   - image: `(C, H, W)`.
    ///   - mask: A of the image, `(C, H, W)`, or `(H, W)` for all channels; what is not 0 is marked.
    ///   - donor: `(C, H, W)`.
    ///   - donorMask: A of the donor, as `mask`.
    /// - Throws: `TensorError` with the code `countMismatch` where an array is of another shape, `nothingMarked` where the
    ///   donor's mask marks nothing.
    public mutating func swap(
        _ image: [Float], mask: [UInt8], donor: [Float], donorMask: [UInt8]
    ) throws(TensorError) -> [Float] {
        for (name, count) in [("image", image.count), ("donor", donor.count)]
        where count != shape.elementCount {
            throw TensorError(
                .countMismatch, "the \(name) has \(count) elements, but \(shape) has \(shape.elementCount)")
        }
        for (name, count) in [("mask", mask.count), ("donor's mask", donorMask.count)]
        where count != shape.elementCount && count != shape.pixelCount {
            throw TensorError(
                .countMismatch,
                "the \(name) has \(count) elements, but \(shape) has \(shape.elementCount), or \(shape.pixelCount) a channel"
            )
        }
        var swapped = image
        let isDone = swapped.withUnsafeMutableBufferPointer { swapped in
            mask.withUnsafeBufferPointer { mask in
                donor.withUnsafeBufferPointer { donor in
                    donorMask.withUnsafeBufferPointer { donorMask in
                        swap(swapped, mask: mask, donor: donor, donorMask: donorMask)
                    }
                }
            }
        }
        guard isDone else {
            throw TensorError(
                .nothingMarked, "the donor's mask marks nothing, so it has nothing to give: take another")
        }
        return swapped
    }

    /// Replaces what lies inside an image's mask by a donor's. O(C · H · W).
    ///
    /// - Parameters:
    ///   - image: `(C, H, W)`, changed in place.
    ///   - mask: A of the image, `(C, H, W)`, or `(H, W)` for all channels.
    ///   - donor: `(C, H, W)`, other memory than the image's.
    ///   - donorMask: A of the donor, as `mask`.
    /// - Returns: false where the donor's mask marks nothing; the image is then as it was.
    package mutating func swap(
        _ image: UnsafeMutableBufferPointer<Float>, mask: UnsafeBufferPointer<UInt8>,
        donor: UnsafeBufferPointer<Float>, donorMask: UnsafeBufferPointer<UInt8>
    ) -> Bool {
        let (pixelCount, channels) = (shape.pixelCount, shape.channels)
        precondition(image.count == shape.elementCount && donor.count == shape.elementCount)
        precondition(mask.count == shape.elementCount || mask.count == pixelCount)
        precondition(donorMask.count == shape.elementCount || donorMask.count == pixelCount)
        guard donorMask.contains(where: { $0 != 0 }) else { return false }
        func plane(_ channel: Int, of mask: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
            let first = mask.count == pixelCount ? 0 : channel * pixelCount
            return UnsafeBufferPointer(rebasing: mask[first..<first + pixelCount])
        }
        var channel = 0
        while channel < channels {
            let given = plane(channel, of: donorMask)
            // Channels that the donor's mask marks alike are filled from the same places.
            var end = channel + 1
            while end < channels, plane(end, of: donorMask).elementsEqual(given) { end += 1 }
            let alike = channel..<end
            let fill = { (nearest: UnsafeBufferPointer<Int32>) in
                for channel in alike {
                    let (mask, first) = (plane(channel, of: mask), channel * pixelCount)
                    for pixel in 0..<pixelCount where mask[pixel] != 0 {
                        image[first + pixel] = donor[first + Int(nearest[pixel])]
                    }
                }
            }
            if nearest.find(given, fill) == nil {
                unite(donorMask)
                _ = union.withUnsafeBufferPointer { nearest.find($0, fill) }
            }
            channel = end
        }
        return true
    }

    /// Marks in `union` what any channel of a mask `(C, H, W)` marks.
    private mutating func unite(_ mask: UnsafeBufferPointer<UInt8>) {
        let pixelCount = shape.pixelCount
        for pixel in 0..<pixelCount {
            union[pixel] =
                stride(from: pixel, to: mask.count, by: pixelCount).contains { mask[$0] != 0 } ? 1 : 0
        }
    }
}
