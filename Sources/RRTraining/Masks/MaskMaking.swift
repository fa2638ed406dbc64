public import RRDatasets
public import RRExplanation
public import RRNetworks
package import RRSchemas
internal import RRTensor

/// Makes masks of the largest input gradients of a model.
public struct MaskMaking: Sendable {
    public internal(set) var dataset: Dataset
    public var selection: MaskSelection
    public var target: PenaltyTarget = .sumLogProbability
    /// The class k whose log p_k is differentiated in place of `target`; nil for the target.
    public var classIndex: Int?
    /// Nil for the gradient at the image itself.
    public var smoothing: GradientSmoothing?
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
    public var threadCount: Int?

    public init(dataset: Dataset, selection: MaskSelection) {
        self.dataset = dataset
        self.selection = selection
    }

    /// Makes masks from a model's input gradients.
    ///
    /// - Parameters:
    ///   - network: the network that is explained.
    ///   - parameters: its parameters.
    ///   - progress: is told of the samples done and of all.
    /// - Returns: the masks, joined with those of the union, and what came of making them.
    /// - Throws: `ExplanationError` where the selection is impossible, a gradient is not finite or the dataset
    ///   does not fit the model; `DatasetError` where a sample is damaged or the split is unknown;
    ///   `TrainingError` where the target needs labels that the dataset does not have.
    public func run<Scalar: NetworkScalar>(
        network: Network<Scalar>, parameters: Parameters<Scalar>, progress: (Int, Int) -> Void = { _, _ in }
    ) throws -> (masks: MaskSet, summary: MaskMakingSummary) {
        let masks = try GradientMasks<Scalar>(self)
        try ModelGradients(self, network: network, parameters: parameters).add(to: masks, progress)
        return try masks.finish()
    }

    /// Makes masks from gradients that are stored already, and writes them to a mask set file.
    ///
    /// The target, the smoothing and the normalisation are those of whoever computed the gradients.
    ///
    /// - Throws: `ExplanationError` where the selection is impossible; `DatasetError` with the code `valueOutOfRange`
    ///   where a gradient is not finite; `FormatError` where a file cannot be read or written.
    package func write(
        gradients: StoredGradients, provenance: JSONValue, path: String, force: Bool,
        progress: (Int, Int) -> Void = { _, _ in }
    ) throws -> MaskMakingSummary {
        var making = self
        making.isPerPixel = isPerPixel || gradients.isPerPixel
        let workers = Workers(count: threadCount)
        let masks = try GradientMasks<Double>(making, output: (path, force))
        let size = gradients.gradientSize
        let rows = UnsafeMutableBufferPointer<Double>.allocate(capacity: workers.count * size)
        defer { rows.deallocate() }
        let memory = UncheckedSendable(rows)
        var done = 0
        try gradients.forEachBlock { samples, read in
            try masks.add(
                indices: SharedElements(samples.map(Int64.init)),
                notFinite: { try gradients.notFinite(sample: $0, of: dataset) }
            ) { select in
                workers.run(parts: samples.count) { worker, position in
                    let row = UnsafeMutableBufferPointer(
                        rebasing: memory.value[worker * size..<(worker + 1) * size])
                    read(position, row)
                    select(worker, position, UnsafeBufferPointer(row))
                }
            }
            done += samples.count
            progress(done, gradients.sampleCount)
        }
        return try masks.finish(provenance: provenance)
    }
}
