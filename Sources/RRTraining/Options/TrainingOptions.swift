public import RRExplanation
public import RRNetworks
public import RRStreaming

/// The number type that a run computes in.
public enum Precision: String, CaseIterable, Codable, Sendable {
    case float
    case double
}

/// The weight of the penalty.
public enum Lambda1: Hashable, Sendable {
    case value(Double)
    /// CE / R over annotated samples after 100 steps of plain cross-entropy, from 1e-3 to 1e3.
    case automatic
}

/// How a training run weighs the classes in the cross-entropy.
public enum ClassWeights: Hashable, Sendable {
    case equal
    /// N / (K n_k) for a class with n_k of the N samples and K classes, so that every class weighs the same in
    /// all; 1 for a class without samples.
    case automatic
    /// One weight a class.
    case fixed([Double])
}

/// All that decides the outcome of a training run, beside the dataset and the masks.
public struct TrainingOptions: Sendable {
    public var model: ModelDescription
    /// The weight of what `guidance` adds to the cross-entropy.
    public var lambda1: Lambda1
    public var guidance: Guidance = .rightReasons
    public var penaltyTarget: PenaltyTarget = .sumLogProbability
    public var penaltyReduction: PenaltyReduction = .mean
    /// The first steps, over which λ1 rises in a straight line from 0.
    public var lambda1WarmupSteps = 0
    public var optimizer = OptimizerOptions()
    public var schedule = ScheduleOptions()
    /// The largest Euclidean norm of the gradient, which is scaled down to it; nil for any.
    public var largestNorm: Double?
    public var classWeights: ClassWeights = .equal
    /// How much of each label is spread over all classes, from 0 to 1.
    public var labelSmoothing = 0.0
    /// The layers whose parameters stay as they are, by the beginnings of their names: `0`, `3.body`.
    public var frozenLayers: [String] = []
    public var precision: Precision = .float
    public var normalization: NormalizationChoice = .none
    /// The number of samples in a batch.
    public var batchSize = 128
    /// The number of passes over the training split.
    public var epochs = 10
    /// Decides the initial weights, the order of the samples, what dropout leaves out and random values in images.
    public var seed: UInt64 = 0
    public var isShuffled = true
    /// Whether the last batch of an epoch is left out where it is smaller than the others.
    public var dropsLast = false
    /// The share of annotated samples in every batch, from 0 to 1; nil for chance to decide.
    public var annotatedFraction: Double?
    /// The random changes of images and masks, also a function of the seed; nil for none.
    public var augmentation: Augmentation?
    /// The split to train on; nil for `train` where the dataset has splits, else all samples.
    public var split: String?
    /// What every epoch ends with a measurement on: a split of the dataset, or the path of another dataset, as
    /// `ValidationSource` reads it; nil for none.
    public var validation: String?
    /// The figure of the validation that `best.safetensors` is chosen by.
    public var bestMetric: ValidationMetric = .accuracy
    /// The epochs without a better figure after which training stops; nil to train to the end.
    public var patience: Int?
    /// Masks to gather on the way; nil for none.
    public var collection: CollectionOptions?
    /// A safetensors file with the initial weights; nil to draw them from the seed.
    public var initialWeights: String?
    /// The number of threads, without effect on any result; nil for one a processor core.
    public var threads: Int?

    public init(model: ModelDescription, lambda1: Lambda1) {
        self.model = model
        self.lambda1 = lambda1
    }
}
