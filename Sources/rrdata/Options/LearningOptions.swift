internal import ArgumentParser
import RRDatasets
import RRExplanation
import RRStreaming
import RRTraining

/// What is learnt and how: all that decides a run, beside the masks, λ1 and what is kept of it.
struct LearningOptions: ParsableArguments {
    @Option(help: "\(ModelChoice.names), or a model.json.")
    var model: ModelChoice

    @Option(
        name: .customLong("lambda1-warmup"),
        help: "The first steps, over which lambda1 rises in a straight line from 0.")
    var lambda1Warmup = 0

    @Option(
        help:
            "What a batch's penalties are divided by: its samples, one, or its annotated samples. (default: mean)"
    )
    var penaltyReduction: PenaltyReduction?

    @Option(
        help:
            "Whose input gradient is penalised; the paper's is the sum of all log-probabilities. (default: sum-log-prob)"
    )
    var penaltyTarget: PenaltyTarget?

    @Option(help: "The number type to compute in.")
    var precision: Precision = .float

    @Option(
        help:
            "none, auto for means and standard deviations of the training split, or MEANS,DEVIATIONS by channel."
    )
    var normalize: NormalizationChoice = .none

    @OptionGroup var optimization: OptimizationOptions

    @Option(help: "The number of samples in a batch.")
    var batchSize = 128

    @Option(help: "The number of passes over the training split.")
    var epochs = 10

    @Option(help: "Decides the initial weights and the order of the samples.")
    var seed: UInt64 = 0

    @Option(name: .customLong("init"), help: "A safetensors file with the initial weights.")
    var initialWeights: String?

    @Flag(help: "Take the samples in the order of the dataset.")
    var noShuffle = false

    @Flag(help: "Leave out the last batch of an epoch where it is smaller than the others.")
    var dropLast = false

    @Option(
        help:
            "Random changes of images and masks, with commas between them: hflip, vflip, crop:P, rot90, cutout:S, brightness:B, contrast:C, erase."
    )
    var augment: Augmentation?

    @Option(help: "The split to train on; train where the dataset has splits, else all.")
    var split: String?

    /// The options of a run on a dataset.
    ///
    /// - Throws: `FormatError` where the model cannot be read.
    func options(for dataset: Dataset, lambda1: Lambda1) throws -> TrainingOptions {
        let description = try model.description(input: dataset.imageShape, classCount: dataset.classCount)
        var options = TrainingOptions(model: description, lambda1: lambda1)
        options.lambda1WarmupSteps = lambda1Warmup
        options.penaltyReduction = penaltyReduction ?? options.penaltyReduction
        options.penaltyTarget = penaltyTarget ?? options.penaltyTarget
        options.precision = precision
        options.normalization = normalize
        optimization.apply(to: &options)
        options.batchSize = batchSize
        options.epochs = epochs
        options.seed = seed
        options.initialWeights = initialWeights
        options.isShuffled = !noShuffle
        options.dropsLast = dropLast
        options.augmentation = augment
        options.split = split
        return options
    }
}
