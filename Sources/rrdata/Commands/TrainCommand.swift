internal import ArgumentParser
import RRDatasets
import RRExplanation
import RRSchemas
import RRStreaming
import RRTraining

struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Train a classifier with the explanation loss.",
        discussion: """
            The loss is the cross-entropy plus lambda1 times the penalty: the squared input gradient where the \
            masks say that no valid reason is. Without masks, or with --lambda1 0, it is plain cross-entropy.

            Examples:
              rrdata train decoy.h5 --model mlp --epochs 40 -o plain
              rrdata train decoy.h5 --masks masks.h5 --lambda1 1 --model mlp --epochs 40 -o right

            The run folder has config.json, model.json, weights.safetensors (as PyTorch reads it) and \
            metrics.jsonl, with a line a step.
            """)

    @Argument(help: "The dataset.")
    var dataset: String

    @Option(help: "The mask set that says which pixels are no valid reason.")
    var masks: String?

    @Option(help: "\(ModelChoice.names), or a model.json.")
    var model: ModelChoice

    @OptionGroup var output: OutputOptions

    @Option(
        name: .customLong("lambda1"),
        help:
            "The weight of the penalty, or auto: as heavy as the cross-entropy after 100 steps. auto where masks are given."
    )
    var lambda1: Lambda1?

    @Option(help: "What a batch's penalties are divided by: its samples, one, or its annotated samples.")
    var penaltyReduction: PenaltyReduction = .mean

    @Option(help: "Whose input gradient is penalised; the paper's is the sum of all log-probabilities.")
    var penaltyTarget: PenaltyTarget = .sumLogProbability

    @Option(help: "The number type to compute in.")
    var precision: Precision = .float

    @Option(
        help:
            "none, auto for means and standard deviations of the training split, or MEANS,DEVIATIONS by channel."
    )
    var normalize: NormalizationChoice = .none

    @Option(help: "The optimiser, as PyTorch defines it.")
    var optimizer: OptimizerOptions.Kind = .adam

    @Option(help: "The learning rate.")
    var learningRate = 1e-3

    @Option(help: "The momentum of sgd.")
    var momentum = 0.0

    @Option(help: "Weight decay, as PyTorch's: L2 for sgd and adam, decoupled for adamw.")
    var weightDecay = 0.0

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

    @Option(help: "A split to measure the model on after every epoch.")
    var validation: String?

    @OptionGroup var threads: ThreadOptions
    @OptionGroup var report: ReportOptions

    func run() throws {
        let dataset = try Dataset(path: dataset)
        let masks = try masks.map { try MaskSet(path: $0, for: dataset) }
        let description = try model.description(input: dataset.imageShape, classCount: dataset.classCount)
        var options = TrainingOptions(
            model: description, lambda1: lambda1 ?? (masks == nil ? .value(0) : .automatic))
        options.penaltyReduction = penaltyReduction
        options.penaltyTarget = penaltyTarget
        options.precision = precision
        options.normalization = normalize
        options.optimizer = OptimizerOptions(
            optimizer, learningRate: learningRate, momentum: momentum, weightDecay: weightDecay)
        options.batchSize = batchSize
        options.epochs = epochs
        options.seed = seed
        options.isShuffled = !noShuffle
        options.dropsLast = dropLast
        options.augmentation = augment
        options.split = split
        options.validationSplit = validation
        options.initialWeights = initialWeights
        options.threads = threads.jobs

        let loop = try TrainingLoop(dataset: dataset, masks: masks, options: options)
        let line = ProgressLine()
        let summary = try loop.run(output: output.output, force: output.force) { progress in
            line.show(isLast: progress.step == progress.stepCount) { Self.text(progress, elapsed: $0) }
        }
        line.clear()
        if masks?.annotatedCount == 0 {
            Console.error("rrdata: note: no mask has a pixel set, so this was plain cross-entropy")
        }
        if report.json { Console.print(Self.json(summary)) } else { Console.print(Self.text(summary)) }
    }

    private static func text(_ progress: TrainingProgress, elapsed: Duration) -> String {
        let mean = progress.mean
        var parts = [
            "epoch \(progress.epoch + 1)/\(progress.epochCount)",
            "step \(progress.step)/\(progress.stepCount)",
            "loss \(Figure.text(mean.loss))", "cross-entropy \(Figure.text(mean.crossEntropy))",
        ]
        if let penalty = mean.penalty { parts.append("penalty \(Figure.text(penalty))") }
        parts.append("accuracy \(Figure.percent(mean.accuracy))")
        parts.append("\(Int(mean.samplesPerSecond)) samples/s")
        let left = elapsed / .seconds(1) * Double(progress.stepCount - progress.step) / Double(progress.step)
        parts.append("\(ProgressLine.time(left)) left")
        return parts.joined(separator: "  ")
    }

    private static func text(_ summary: TrainingSummary) -> String {
        let last = summary.lastEpoch
        let penalty = last.penalty.map {
            ", penalty \(Figure.text($0)) times lambda1 \(Figure.text(summary.lambda1))"
        }
        return """
            \(summary.output): \(summary.stepCount) steps in \(ProgressLine.time(summary.seconds))
            last epoch: loss \(Figure.text(last.loss)), cross-entropy \(Figure.text(last.crossEntropy))\
            \(penalty ?? ""), training accuracy \(Figure.percent(last.accuracy))
            """
    }

    private static func json(_ summary: TrainingSummary) -> JSONValue {
        [
            "output": .string(summary.output), "steps": .integer(summary.stepCount),
            "seconds": .number(summary.seconds), "lambda1": .number(summary.lambda1),
            "loss": .number(summary.lastEpoch.loss), "cross_entropy": .number(summary.lastEpoch.crossEntropy),
            "penalty": summary.lastEpoch.penalty.map { .number($0) } ?? .null,
            "training_accuracy": .number(summary.lastEpoch.accuracy),
        ]
    }
}
