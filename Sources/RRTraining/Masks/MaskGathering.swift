internal import RRDatasets
internal import RRExplanation
internal import RRNetworks
internal import RRTensor

/// Turns the input gradients of batches into masks, in whatever order the samples come.
final class MaskGathering<Scalar: NetworkScalar> {
    private var collection: MaskCollection
    private let selected: MaskBatch<Scalar>

    /// - Parameters:
    ///   - union: masks that the new ones are joined with.
    ///   - workerCount: the number of threads that show gradients.
    /// - Throws: `ExplanationError` where the selection is impossible, `TensorError` where the masks have more elements
    ///   than memory can address.
    init(
        _ dataset: Dataset, selection: MaskSelection, isPerPixel: Bool = false, union: MaskSet? = nil,
        workerCount: Int
    ) throws {
        let collection = try MaskCollection(dataset, isPerPixel: isPerPixel, union: union)
        selected = try MaskBatch(
            selection, maskSize: collection.maskShape.elementCount, workerCount: workerCount)
        self.collection = collection
    }

    /// The number of samples since the last `removeAll()`.
    var sampleCount: Int { collection.sampleCount }

    /// Gathers the masks of a batch.
    ///
    /// - Parameters:
    ///   - indices: the row of each sample in the dataset.
    ///   - body: takes what is to be called once for each sample of the batch.
    /// - Throws: what `body` throws, and `ExplanationError` with the code `gradientNotFinite`, naming the sample.
    func gather<Result>(
        indices: [Int64],
        _ body: (@escaping @Sendable (ExplainedSample<Scalar>) -> Void) throws(ExplanationError) -> Result
    ) throws -> Result {
        let result = try selected.select(count: indices.count) { select throws(ExplanationError) in
            try body { select($0.worker, $0.position, $0.gradient) }
        }
        try collection.add(selected.masks, selected.outcomes, indices: indices)
        return result
    }

    /// Forgets the masks so far.
    func removeAll() throws { try collection.removeAll() }

    /// The masks of all samples that were shown.
    func finish() throws -> CollectedMasks { try collection.finish() }
}
