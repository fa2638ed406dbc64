import Glibc
public import RRTensor

/// Images with their labels and, where there are any, the masks that say which pixels are no valid reason.
public struct LabelledBatch: Sendable {
    /// The shape `(C, H, W)` of one image.
    public let imageShape: ImageShape
    /// `(N, C, H, W)`, as the network shall see them.
    public let images: SharedElements<Float>
    /// `(N)`: the class of each sample.
    public let labels: SharedElements<Int64>
    /// `(N, C, H, W)`, 0 or 1; nil where no sample is annotated. A mask that is all zero counts as none.
    public let masks: SharedElements<UInt8>?
    /// `(N, C, H, W)`: what `CounterexampleOptions.Fill.swap` puts inside the mask of each annotated sample, as the network
    /// shall see it; elsewhere it is not read. Nil where that is not wanted.
    public let counterexamples: SharedElements<Float>?
    /// `(N)`: the row of each sample in its dataset, which dropout knows it by; nil where it comes from none.
    public let indices: SharedElements<Int64>?
    /// The epoch that the batch is of, from 0: counterexamples change from one to the next.
    public let epoch: Int
    /// `(N)`: the group of each sample, from 0; nil where there are none, or none count.
    public var groups: [Int]?

    /// The number of samples N.
    public var count: Int { labels.count }

    /// Copies images, labels, masks and rows after checking that they are of the same number of samples.
    ///
    /// - Throws: `ExplanationError` with the code `batchMismatch`.
    public init(
        imageShape: ImageShape, images: [Float], labels: [Int64], masks: [UInt8]? = nil,
        counterexamples: [Float]? = nil, indices: [Int64]? = nil, epoch: Int = 0
    ) throws(ExplanationError) {
        try self.init(
            imageShape: imageShape, images: SharedElements(images), labels: SharedElements(labels),
            masks: masks.map { SharedElements($0) },
            counterexamples: counterexamples.map { SharedElements($0) },
            indices: indices.map { SharedElements($0) }, epoch: epoch)
    }

    /// Shares images, labels, masks and rows after checking that they are of the same number of samples.
    ///
    /// - Throws: `ExplanationError` with the code `batchMismatch`.
    public init(
        imageShape: ImageShape, images: SharedElements<Float>, labels: SharedElements<Int64>,
        masks: SharedElements<UInt8>? = nil, counterexamples: SharedElements<Float>? = nil,
        indices: SharedElements<Int64>? = nil, epoch: Int = 0
    ) throws(ExplanationError) {
        let (expected, overflow) = imageShape.elementCount.multipliedReportingOverflow(by: labels.count)
        guard !overflow, images.count == expected else {
            throw ExplanationError(
                .batchMismatch,
                "\(labels.count) samples of \(imageShape) have \(expected) elements, but the images have "
                    + "\(images.count)")
        }
        if let masks, masks.count != images.count {
            throw ExplanationError(
                .batchMismatch,
                "\(labels.count) masks of \(imageShape) have \(expected) elements, but the masks have "
                    + "\(masks.count): they belong to images of another size")
        }
        if let counterexamples, counterexamples.count != images.count {
            throw ExplanationError(
                .batchMismatch,
                "\(labels.count) images of \(imageShape) have \(expected) elements, but the counterexamples have "
                    + "\(counterexamples.count)")
        }
        if let indices, indices.count != labels.count {
            throw ExplanationError(
                .batchMismatch, "\(labels.count) samples have \(indices.count) rows in their dataset")
        }
        self.imageShape = imageShape
        self.images = images
        self.labels = labels
        self.masks = masks
        self.counterexamples = counterexamples
        self.indices = indices
        self.epoch = epoch
    }

    /// Checks that a network of this input and these classes can take the batch.
    func check(against input: ImageShape, classCount: Int) throws(ExplanationError) {
        guard imageShape == input else {
            throw ExplanationError(
                .batchMismatch, "the images are \(imageShape), but the model takes \(input)")
        }
        guard let stranger = labels.firstIndex(where: { $0 < 0 || $0 >= classCount }) else { return }
        throw ExplanationError(
            .labelOutOfRange,
            "sample \(stranger) of the batch has the label \(labels[stranger]), but the model has the classes "
                + "0 to \(classCount - 1)")
    }

    /// The samples with a mask that is not all zero.
    func annotatedSamples() -> [Int] {
        guard let masks else { return [] }
        let elementCount = imageShape.elementCount
        return masks.withUnsafeBufferPointer { masks in
            guard let start = masks.baseAddress, elementCount > 0 else { return [] }
            return (0..<count).filter { sample in
                let mask = start + sample * elementCount
                // All bytes are zero where the first is, and each is the one before it.
                return mask[0] != 0 || memcmp(mask, mask + 1, elementCount - 1) != 0
            }
        }
    }

    /// Takes the annotated samples only; nil where there are none.
    package func annotated() throws(ExplanationError) -> LabelledBatch? {
        let samples = annotatedSamples()
        guard let masks, !samples.isEmpty else { return nil }
        let elementCount = imageShape.elementCount
        func rows<Element>(of elements: SharedElements<Element>) -> SharedElements<Element> {
            SharedElements(samples.flatMap { elements[$0 * elementCount..<($0 + 1) * elementCount] })
        }
        return try LabelledBatch(
            imageShape: imageShape, images: rows(of: images),
            labels: SharedElements(samples.map { labels[$0] }),
            masks: rows(of: masks), counterexamples: counterexamples.map { rows(of: $0) },
            indices: indices.map { indices in SharedElements(samples.map { indices[$0] }) },
            epoch: epoch)
    }
}
