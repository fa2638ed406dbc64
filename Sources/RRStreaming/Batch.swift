public import RRTensor

/// Some samples of a dataset with their masks, and where they come from.
///
/// A batch owns its memory for as long as someone holds it or one of its arrays; then the stream uses the memory
/// for a later batch, so that nothing is allocated once a stream is under way.
public struct Batch: Sendable {
    let storage: BatchStorage

    /// The number of samples, B.
    public var count: Int { storage.labels.count }

    /// The shape `(C, H, W)` of one image.
    public let imageShape: ImageShape

    /// `(B, C, H, W)`: uint8 pixels over 255, uint16 pixels over 65535, float pixels as they are.
    public var images: [Float] { storage.images }

    /// `(B)`: the class of each sample, −1 where the dataset has no labels.
    public var labels: [Int64] { storage.labels }

    /// `(B)`: the row of each sample in the dataset.
    public var indices: [Int64] { storage.indices }

    /// `(B, C, H, W)`: 1 says "this pixel is no valid reason"; all zero for a sample without a mask.
    public var masks: [UInt8] { storage.masks }

    /// `(B)`: whether the sample has a mask that is not all zero.
    public var annotated: [Bool] { storage.annotated }

    /// The epoch, from 0.
    public let epoch: Int

    /// The number of the batch within its epoch, from 0.
    public let step: Int
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

    func setSample(_ position: Int, index: Int, label: Int?) {
        indices[position] = Int64(index)
        labels[position] = label.map(Int64.init) ?? -1
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
