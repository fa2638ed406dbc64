package import RRExplanation
package import RRStreaming
internal import RRTensor

extension LabelledBatch {
    /// Takes images, labels, rows and, where any sample is annotated, masks from a batch of the stream.
    ///
    /// - Parameter normalization: what is done to the images; nil for nothing.
    package init(_ batch: Batch, _ normalization: InputNormalization?) throws(ExplanationError) {
        try self.init(
            imageShape: batch.imageShape, images: batch.images(normalization), labels: batch.labels,
            masks: batch.annotated.contains(true) ? batch.masks : nil, indices: batch.indices,
            epoch: batch.epoch)
    }
}

extension Batch {
    /// The images as a network shall see them.
    func images(_ normalization: InputNormalization?) -> [Float] {
        guard let normalization else { return images }
        var scaled = images
        normalization.apply(to: &scaled, pixelCount: imageShape.pixelCount)
        return scaled
    }
}
