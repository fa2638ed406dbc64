internal import ArgumentParser
import RRExplanation
import RRTraining

/// How the parameters follow their gradient, and what each sample weighs in it.
struct OptimizationArguments: ParsableArguments {
    @Option(help: "The optimiser, as PyTorch defines it; the paper's is adam, which needs little tuning.")
    var optimizer: OptimizationOptions.Optimizer = .adam

    @Option(
        help:
            "The learning rate, of --schedule one-cycle the largest; 0.001 is adam's usual one, sgd wants more."
    )
    var learningRate = 1e-3

    @Option(help: "The momentum of sgd; 0 is plain gradient descent.")
    var momentum = 0.0

    @Flag(help: "Look ahead along the momentum of sgd.")
    var nesterov = false

    @Option(
        help:
            "Weight decay, as PyTorch's: L2 for sgd and adam, decoupled for adamw; 0 minimises the loss as it is told."
    )
    var weightDecay = 0.0

    @Option(
        help:
            "How the learning rate goes: constant, which later can be made longer with more --epochs, step, cosine to 0, or one-cycle, as PyTorch's."
    )
    var schedule: ScheduleOptions.Kind = .constant

    @Option(help: "The epochs after which --schedule step multiplies the rate by --schedule-factor.")
    var scheduleEpochs: Int?

    @Option(help: "What --schedule step multiplies the rate by. (default: 0.1, as PyTorch's)")
    var scheduleFactor: Double?

    @Option(
        help:
            "The first steps, in which the rate rises in a straight line from a hundredth; adam, whose first steps are no longer than the rate, needs none."
    )
    var warmupSteps = 0

    @Option(help: "The largest Euclidean norm of the gradient; a longer one is scaled down to it.")
    var clipNorm: Double?

    @Option(
        help: "How much of each label is spread over all classes, from 0 to 1; 0 takes labels as they are.")
    var labelSmoothing = 0.0

    @Option(
        help:
            "none, which takes the data as they are, auto so that every class weighs the same in all, groups so that every group does, or W1,W2,... one a class."
    )
    var classWeights: ClassWeights = .equal

    @Option(
        name: .customLong("group-dro"),
        help: ArgumentHelp(
            "Weigh the groups with the largest losses most, by steps of this size, as 0.01.",
            discussion: """
                Group DRO (Sagawa et al., 2020): the cross-entropy is the mean of the groups' means, each weighed by q, and \
                before each step q of a group is multiplied by exp(STEP * its mean).
                """, valueName: "step"))
    var groupStepSize: Double?

    @Option(
        help:
            "Layers whose weights stay as they are, by the beginnings of their names: 0,3.body; ..layer2 for a layer and all before it; backbone for all but the last."
    )
    var freeze: String?

    @Option(help: "The epochs after which the layers of --freeze are trained too.")
    var unfreezeAfter: Int?

    @Option(help: "The learning rate of the last layer, in place of --learning-rate.")
    var headLearningRate: Double?

    func validate() throws {
        guard scheduleFactor == nil || schedule == .step else {
            throw ValidationError("--schedule-factor goes with --schedule step")
        }
    }
}

/// What is kept of a run on its way.
struct RunKeepingArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A split, or another dataset, to measure the model on after every epoch.",
            discussion: """
                best.safetensors then has the best epoch's weights. A name that is no split of the dataset is a file, \
                of which val is taken where it has such a split, validation or test otherwise, and else all samples.
                """,
            valueName: "split|file"))
    var validation: String?

    @Option(
        help:
            "What the best epoch is judged by: accuracy, cross-entropy, worst-class or worst-group, of --validation. (default: accuracy, which all data have)"
    )
    var bestMetric: ValidationMetric?

    @Option(help: "Stop after this many epochs without a better one.")
    var patience: Int?

    @Flag(
        help:
            "Go on with the unfinished run for this output, if there is one; of one that is done, say what it came to, or train it on where --epochs asks for more."
    )
    var resume = false

    @Option(
        help:
            "The seconds between checkpoints within an epoch, and so the most that is lost; every epoch but the last ends with one. In an epoch whose masks are gathered there are none."
    )
    var checkpointEvery = 60.0

    @Option(
        help: ArgumentHelp(
            "A folder for event files of TensorBoard, which shows the figures of metrics.jsonl while training goes on.",
            discussion: """
                The figures of steps are called step/NAME and stand at the step's number, those of epochs epoch/NAME and \
                validation/NAME at the epoch's. A run that is resumed adds a file, which goes on where the run does. A folder that \
                has event files already is another run's: --force takes it, and leaves its files.
                """, valueName: "folder"))
    var tensorboard: String?

    @Option(
        help:
            "Gather masks from the input gradients of --penalty-target in the last epoch; needs --top-k or --threshold."
    )
    var collectMasks: String?

    @Option(help: "Of --collect-masks: take the K largest of all C·H·W elements of each sample.")
    var topK: Int?

    @Option(help: "Of --collect-masks: take all elements above this factor of the sample's largest.")
    var threshold: Double?

    func validate() throws {
        guard bestMetric == nil || validation != nil else {
            throw ValidationError("--best-metric goes with --validation")
        }
        guard let output = collectMasks else {
            guard topK == nil, threshold == nil else {
                throw ValidationError("--top-k and --threshold go with --collect-masks")
            }
            return
        }
        guard (topK == nil) != (threshold == nil) else {
            throw ValidationError("--collect-masks \(output) needs either --top-k or --threshold")
        }
    }

    func storage(_ output: OutputOptions) -> RunStorage {
        RunStorage(
            output: output.output, force: output.force, resumes: resume, checkpointSeconds: checkpointEvery)
    }
}
