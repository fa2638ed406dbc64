public import RRTensor

/// Some samples of a dataset with their masks, and where they come from.
///
/// The stream uses the memory of a batch for a later one as soon as nobody holds it any more, so that nothing is
/// allocated once a stream is under way. Who keeps a batch, or elements of it, keeps them as they are.
public struct Batch: Sendable {
    /// The number of samples, B, padded ones included.
    public var count: Int { labels.count }

    /// The shape `(C, H, W)` of one image.
    public let imageShape: ImageShape

    /// `(B, C, H, W)`: uint8 pixels over 255, uint16 pixels over 65535, float pixels as they are; empty where the
    /// stream gives images as stored.
    public let images: SharedElements<Float>

    /// `(B, C, H, W)` of the dataset's element type, little-endian; empty unless the stream gives images as stored.
    public let storedImages: SharedElements<UInt8>

    /// `(B)`: the class of each sample, −1 where the dataset has no labels.
    public let labels: SharedElements<Int64>

    /// `(B)`: the row of each sample in the dataset, −1 for a padded one, whose image and mask are zero.
    public let indices: SharedElements<Int64>

    /// `(B, C, H, W)`: 1 says "this pixel is no valid reason"; all zero for a sample without a mask.
    public let masks: SharedElements<UInt8>

    /// `(B)`: whether the sample has a mask that is not all zero.
    public let annotated: SharedElements<Bool>

    /// The epoch, from 0.
    public let epoch: Int

    /// The number of the batch within its epoch, from 0.
    public let step: Int

    /// Where the stream goes on after this batch.
    public let next: StreamPosition
}
