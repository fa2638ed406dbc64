public import RRDatasets
public import RRExplanation
public import RRNetworks
public import RRTensor

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
    /// A file for the gradients themselves, beside that of the masks, of `write(_:to:precision:force:progress:)`: HDF5 with the
    /// array `/attributions`, `(N, C, H, W)` float32, a row for each sample of the split; nil for none.
    public var attributionPath: String?
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
}

/// What came of making masks for the samples of a dataset.
public struct MaskMakingSummary: Sendable {
    /// The shape of one mask; one channel where channels were summed.
    public let maskShape: ImageShape
    /// The samples that were looked at.
    public let sampleCount: Int
    /// Of those, the samples whose input gradient is zero throughout and which got no mask for it.
    public let zeroGradientCount: Int
    /// The samples of the dataset with a mask, those of the union included.
    public let annotatedCount: Int
    /// The number of ones in all masks together.
    public let oneCount: Int
}
