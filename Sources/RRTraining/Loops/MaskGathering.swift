internal import RRDatasets
internal import RRExplanation
internal import RRNetworks
internal import RRTensor

/// Turns the input gradients of batches into masks, in whatever order the samples come.
final class MaskGathering<Scalar: NetworkScalar> {
    private var collection: MaskCollection
    private let elementCount: Int
    private var selectors: [MaskSelector<Scalar>]

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
        let elementCount = collection.maskShape.elementCount
        try selection.check(elementCount: elementCount)
        selectors = (0..<workerCount).map { _ in MaskSelector(selection, elementCount: elementCount) }
        self.collection = collection
        self.elementCount = elementCount
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
        let elementCount = elementCount
        var masks = Array(repeating: UInt8(0), count: indices.count * elementCount)
        var outcomes = Array(repeating: MaskOutcome.zeroGradient, count: indices.count)
        let result = try masks.withUnsafeMutableBufferPointer { masks throws(ExplanationError) in
            try outcomes.withUnsafeMutableBufferPointer { outcomes throws(ExplanationError) in
                try selectors.withUnsafeMutableBufferPointer { selectors throws(ExplanationError) in
                    let memory = UncheckedSendable((masks, outcomes, selectors))
                    return try body { sample in
                        let (masks, outcomes, selectors) = memory.value
                        let start = sample.position * elementCount
                        outcomes[sample.position] = selectors[sample.worker].select(
                            sample.gradient,
                            into: UnsafeMutableBufferPointer(rebasing: masks[start..<start + elementCount]))
                    }
                }
            }
        }
        try collection.add(masks, outcomes, indices: indices)
        return result
    }

    /// Forgets the masks so far.
    func removeAll() throws { try collection.removeAll() }

    /// The masks of all samples that were shown.
    func finish() throws -> CollectedMasks { try collection.finish() }
}
