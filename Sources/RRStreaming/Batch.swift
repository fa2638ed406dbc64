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

    /// `(B, C, H, W)`: uint8 pixels over 255, uint16 pixels over 65535, float pixels as they are; empty where the
    /// stream gives images as stored.
    public var images: [Float] { storage.images }

    /// `(B, C, H, W)` of the dataset's element type, little-endian; empty unless the stream gives images as stored.
    public var storedImages: [UInt8] { storage.storedImages }

    /// `(B)`: the class of each sample, −1 where the dataset has no labels.
    public var labels: [Int64] { storage.labels }

    /// `(B)`: the row of each sample in the dataset, −1 for a padded one, whose image and mask are zero.
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
