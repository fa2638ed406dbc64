public import RRDatasets
public import RRExplanation
public import RRNetworks
internal import RRStreaming
internal import RRTensor

/// The loop behind `rrdata make-masks`: the largest input gradients of a model become masks.
public struct MaskMaking: Sendable {
    public let dataset: Dataset
    public var selection: MaskSelection
    public var target: PenaltyTarget = .sumLogProbability
    /// Whether |gradient| is summed over channels, so that whole pixels are selected.
    public var isPerPixel = false
    /// What is done to the images, as in training; nil for nothing.
    public var normalization: InputNormalization?
    /// Masks of the same dataset that the new ones are joined with.
    public var union: MaskSet?
    /// A split's name or `all`; samples outside it get no new mask.
    public var split = "all"
    /// The number of samples that are read at a time, without effect on the result but for rounding.
    public var batchSize = 256
    /// The number of threads, without effect on the result; nil for one a processor core.
    public var threads: Int?

    public init(dataset: Dataset, selection: MaskSelection) {
        self.dataset = dataset
        self.selection = selection
    }

    /// Makes masks from a model's input gradients.
    ///
    /// - Parameter progress: is told of the samples done and of all.
    /// - Throws: `ExplanationError` where the selection is impossible, a gradient is not finite or the dataset
    ///   does not fit the model; `DatasetError` where a sample is damaged or the split is unknown;
    ///   `TrainingError` where the target needs labels that the dataset does not have.
    public func run<Scalar: NetworkScalar>(
        network: Network<Scalar>, parameters: Parameters<Scalar>, progress: (Int, Int) -> Void = { _, _ in }
    ) throws -> CollectedMasks {
        let workers = Workers(count: threads)
        let gathering = try MaskGathering<Scalar>(
            dataset, selection: selection, isPerPixel: isPerPixel, union: union, workerCount: workers.count)
        let explainer = InputGradients(network: network, target: target, threads: workers.count)
        let stream = try BatchStream(
            dataset: dataset, masks: nil,
            options: StreamOptions(
                batchSize: batchSize, shuffle: false, seed: 0, epochs: 1, split: split, dropLast: false))
        while let batch = try stream.next() {
            let labelled = try labelled(batch)
            try gathering.gather(indices: batch.indices) { visitor throws(ExplanationError) in
                try explainer.forEachSample(of: labelled, at: parameters, withGradient: true, visitor)
            }
            progress(gathering.sampleCount, stream.samplesPerEpoch)
        }
        return try gathering.finish()
    }

    /// Takes a batch whose labels need not be there unless the target asks for them.
    private func labelled(_ batch: Batch) throws -> LabelledBatch {
        guard dataset.labels != nil || target != .label else {
            throw TrainingError(
                .unsuitableDataset, dataset.path, "has no labels, which --target label needs")
        }
        return try LabelledBatch(
            imageShape: batch.imageShape, images: batch.images(normalization),
            labels: batch.labels.map { max($0, 0) })
    }
}
