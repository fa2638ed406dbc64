public import RRExplanation
public import RRNetworks
public import RRStreaming
internal import RRTensor

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

/// All that decides the outcome of a training run, beside the dataset and the masks.
public struct TrainingOptions: Sendable {
    public var model: ModelDescription
    public var lambda1: Lambda1
    public var penaltyTarget: PenaltyTarget = .sumLogProbability
    public var penaltyReduction: PenaltyReduction = .mean
    public var optimizer = OptimizerOptions()
    public var precision: Precision = .float
    public var normalization: NormalizationChoice = .none
    /// The number of samples in a batch.
    public var batchSize = 128
    /// The number of passes over the training split.
    public var epochs = 10
    /// Decides the initial weights, the order of the samples and what dropout leaves out.
    public var seed: UInt64 = 0
    public var isShuffled = true
    /// Whether the last batch of an epoch is left out where it is smaller than the others.
    public var dropsLast = false
    /// The random changes of images and masks, also a function of the seed; nil for none.
    public var augmentation: Augmentation?
    /// The split to train on; nil for `train` where the dataset has splits, else all samples.
    public var split: String?
    /// The split that every epoch ends with a measurement on; nil for none.
    public var validationSplit: String?
    /// A safetensors file with the initial weights; nil to draw them from the seed.
    public var initialWeights: String?
    /// The number of threads, without effect on any result; nil for one a processor core.
    public var threads: Int?

    public init(model: ModelDescription, lambda1: Lambda1) {
        self.model = model
        self.lambda1 = lambda1
    }

    /// - Throws: `TrainingError` with the code `invalidOption`, naming the option.
    func check(hasMasks: Bool) throws(TrainingError) {
        try optimizer.check()
        if case .value(let lambda1) = lambda1 {
            guard lambda1.isFinite, lambda1 >= 0 else {
                throw TrainingError(.invalidOption, "--lambda1", "must be auto or a number of at least 0")
            }
            guard lambda1 == 0 || hasMasks else {
                throw TrainingError(
                    .invalidOption, "--lambda1",
                    "is above 0, but there are no masks for the penalty: give --masks, or --lambda1 0")
            }
        }
        if case .fixed(let normalization) = normalization {
            guard normalization.means.count == model.input.channels else {
                throw TrainingError(
                    .invalidOption, "--normalize",
                    "has \(normalization.means.count) means, but the images have \(model.input.channels) channels"
                )
            }
        }
        guard batchSize >= 1 else {
            throw TrainingError(.invalidOption, "--batch-size", "must be at least 1")
        }
        guard epochs >= 1 else { throw TrainingError(.invalidOption, "--epochs", "must be at least 1") }
        if let threads, threads < 1 {
            throw TrainingError(.invalidOption, "--jobs", "must be at least 1")
        }
    }
}
