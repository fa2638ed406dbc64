public import RRTensor

/// Some samples of a dataset with their masks, and where they come from.
///
/// A batch owns its memory for as long as someone holds it or one of its arrays; then the stream uses the memory
/// for a later batch, so that nothing is allocated once a stream is under way.
public struct Batch: Sendable {
    let storage: BatchStorage

    /// The number of samples, B, padded ones included.
    public var count: Int { storage.labels.count }

    /// The shape `(C, H, W)` of one image.
    public let imageShape: ImageShape

    /// `(B, C, H, W)`: uint8 pixels over 255, uint16 pixels over 65535, float pixels as they are.
    public var images: [Float] { storage.images }

    /// `(B)`: the class of each sample, −1 where the dataset has no labels.
    public var labels: [Int64] { storage.labels }

    /// `(B)`: the row of each sample in the dataset; −1 for a padded sample, whose image and mask are zero.
    public var indices: [Int64] { storage.indices }

    /// `(B, C, H, W)`: 1 says "this pixel is no valid reason"; all zero for a sample without a mask.
    public var masks: [UInt8] { storage.masks }

    /// `(B)`: whether the sample has a mask that is not all zero.
    public var annotated: [Bool] { storage.annotated }

    /// The epoch, from 0.
    public let epoch: Int

    /// The number of the batch within its epoch, from 0.
    public let step: Int

    /// Where the stream goes on after this batch.
    public let next: StreamPosition
}

/// The arrays of a batch.
///
/// `@unchecked Sendable`: the producer alone writes, and only while it holds the one reference. Arrays that a
/// consumer kept are copied on that write, as Swift's arrays are.
final class BatchStorage: @unchecked Sendable {
    fileprivate(set) var images: [Float] = []
    fileprivate(set) var labels: [Int64] = []
    fileprivate(set) var indices: [Int64] = []
    fileprivate(set) var masks: [UInt8] = []
    fileprivate(set) var annotated: [Bool] = []

    /// Gives the arrays the extents of a batch; what they held is of no meaning afterwards, but masks that were
    /// never written are zero.
    func resize(count: Int, elementCount: Int) {
        images.resize(to: count * elementCount, filling: 0)
        labels.resize(to: count, filling: -1)
        indices.resize(to: count, filling: -1)
        masks.resize(to: count * elementCount, filling: 0)
        annotated.resize(to: count, filling: false)
    }

    func fillRows(_ fill: (UnsafeMutableBufferPointer<Int64>) -> Void) {
        indices.withUnsafeMutableBufferPointer { fill($0) }
    }

    func setLabel(_ position: Int, _ label: Int?) { labels[position] = label.map(Int64.init) ?? -1 }

    /// Makes a sample one that pads the batch.
    func setPadding(_ position: Int, elementCount: Int) {
        labels[position] = -1
        annotated[position] = false
        for element in position * elementCount..<(position + 1) * elementCount {
            images[element] = 0
            masks[element] = 0
        }
    }

    /// Calls a body with the image and the mask of a sample, to change them.
    func changeSample(
        _ position: Int, elementCount: Int,
        _ change: (UnsafeMutableBufferPointer<Float>, UnsafeMutableBufferPointer<UInt8>) -> Void
    ) {
        let range = position * elementCount..<(position + 1) * elementCount
        images.withUnsafeMutableBufferPointer { images in
            masks.withUnsafeMutableBufferPointer { masks in
                change(
                    UnsafeMutableBufferPointer(rebasing: images[range]),
                    UnsafeMutableBufferPointer(rebasing: masks[range]))
                annotated[position] = masks[range].contains(1)
            }
        }
    }

    func fillImage<Failure: Error>(
        _ position: Int, elementCount: Int,
        _ fill: (UnsafeMutableBufferPointer<Float>) throws(Failure) -> Void
    ) throws(Failure) {
        try images.withUnsafeMutableBufferPointer { (images) throws(Failure) in
            let range = position * elementCount..<(position + 1) * elementCount
            try fill(UnsafeMutableBufferPointer(rebasing: images[range]))
        }
    }

    /// - Parameter fill: writes every element of the mask, and returns whether any is set.
    func fillMask(
        _ position: Int, elementCount: Int, _ fill: (UnsafeMutableBufferPointer<UInt8>) -> Bool
    ) {
        annotated[position] = masks.withUnsafeMutableBufferPointer { masks in
            let range = position * elementCount..<(position + 1) * elementCount
            return fill(UnsafeMutableBufferPointer(rebasing: masks[range]))
        }
    }
}

extension Array {
    fileprivate mutating func resize(to count: Int, filling element: Element) {
        if self.count > count {
            removeLast(self.count - count)
        } else if self.count < count {
            append(contentsOf: repeatElement(element, count: count - self.count))
        }
    }
}
