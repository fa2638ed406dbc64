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

/// The memory of one batch at a time.
///
/// From `isReusable()` to the delivery of the batch the crew alone has it, and each of its threads writes the places of
/// other samples; consumers only read.
struct BatchStorage: Sendable {
    private(set) var images: ElementMemory<Float>
    private(set) var storedImages: ElementMemory<UInt8>
    private(set) var labels: ElementMemory<Int64>
    private(set) var indices: ElementMemory<Int64>
    /// Zero where they were never written.
    private(set) var masks: ElementMemory<UInt8>
    private(set) var annotated: ElementMemory<Bool>

    /// - Parameter largest: the extents of the largest batch.
    init(_ largest: BatchExtents) {
        let count = largest.count
        images = ElementMemory(zeroBitsOf: count * largest.floatsPerImage)
        storedImages = ElementMemory(zeroBitsOf: count * largest.bytesPerImage)
        labels = ElementMemory(zeroBitsOf: count)
        indices = ElementMemory(zeroBitsOf: count)
        masks = ElementMemory(zeroBitsOf: count * largest.elementsPerMask)
        annotated = ElementMemory(zeroBitsOf: count)
    }

    /// Tells whether another batch can be written, for which the lists that a consumer has kept are taken anew.
    ///
    /// Images and masks are not taken anew: where they are kept, or a slot has them, another storage is used.
    mutating func isReusable() -> Bool {
        guard
            isKnownUniquelyReferenced(&images), isKnownUniquelyReferenced(&storedImages),
            isKnownUniquelyReferenced(&masks)
        else { return false }
        Self.replaceIfShared(&labels)
        Self.replaceIfShared(&indices)
        Self.replaceIfShared(&annotated)
        return true
    }

    private static func replaceIfShared<Element>(_ memory: inout ElementMemory<Element>) {
        guard !isKnownUniquelyReferenced(&memory) else { return }
        memory = ElementMemory(zeroBitsOf: memory.elements.count)
    }
}

extension Batch {
    /// Hands out a batch that the crew has written.
    init(
        _ storage: BatchStorage, of extents: BatchExtents, imageShape: ImageShape, _ scheduled: ScheduledBatch
    ) {
        let count = scheduled.count
        self.imageShape = imageShape
        images = SharedElements(storage.images, count: count * extents.floatsPerImage)
        storedImages = SharedElements(storage.storedImages, count: count * extents.bytesPerImage)
        labels = SharedElements(storage.labels, count: count)
        indices = SharedElements(storage.indices, count: count)
        masks = SharedElements(storage.masks, count: count * extents.elementsPerMask)
        annotated = SharedElements(storage.annotated, count: count)
        epoch = scheduled.epoch
        step = scheduled.step
        next = scheduled.next
    }
}

/// The sizes of a batch's arrays.
struct BatchExtents {
    let count: Int
    let floatsPerImage: Int
    let bytesPerImage: Int
    let elementsPerMask: Int

    /// The memory of a batch; nil where it is more than a number can tell.
    var byteCount: Int? {
        let sample = floatsPerImage * MemoryLayout<Float>.size + bytesPerImage + elementsPerMask + 17
        let (product, overflow) = sample.multipliedReportingOverflow(by: count)
        return overflow ? nil : product
    }
}
