internal import ArgumentParser
import RRDatasets
import RRExchange
import RRExplanation
import RRFormats
import RRNetworks
import RRStreaming
import RRTraining

/// What is learnt and how: all that decides a run, beside the masks, λ1 and what is kept of it.
struct LearningArguments: ParsableArguments {
    @Option(
        help:
            "\(ModelChoice.names), a model.json, or an ONNX file, whose weights are then those of --init."
    )
    var model: ModelChoice

    @Option(
        name: .customLong("lambda1-warmup"),
        help:
            "The first steps, over which lambda1 rises in a straight line from 0; 0 weighs the penalty alike throughout."
    )
    var lambda1Warmup = 0

    @Option(
        help:
            "What a batch's penalties are divided by: its samples, one, or its annotated samples. (default: mean, which has the paper's ratio to the cross-entropy)"
    )
    var penaltyReduction: PenaltyReduction?

    @Option(
        help: ArgumentHelp(
            "Whose input gradient is penalised; the paper's is the sum of all log-probabilities. (default: sum-log-prob)",
            discussion: """
                label and predicted are the log-probability of that class, logits-sum the sum of the logits. logit-jacobian \
                is the squared Jacobian of the logits less their mean, in one random direction a sample and step (Hoffman, \
                Roberts and Yaida, 2019). With two classes sum-log-prob vanishes where the model is unsure, which meets the \
                penalty wherever it looks; logit-jacobian does not.
                """))
    var penaltyTarget: PenaltyTarget?

    @Option(
        help: ArgumentHelp(
            "What is held against the masks: \(AttributionOptions.grammar). (default: input-gradient, the paper's)",
            discussion: """
                g being the gradient of --penalty-target, input-gradient is the paper's A ∘ g, input-times-gradient A ∘ x ∘ g, \
                feature-gradient A ∘ g of a layer's output, and gradcam A ∘ Σ_k mean(g_k) h_k of its channels h_k, neither \
                rectified nor normalised (RRR-G, Schramowski et al., 2020). LAYER is a name or place in the model's list of \
                layers, as `rrdata info MODEL` has them: the map after the normalisation and activation that follow it, by \
                default the last behind a convolution. A has there the mean of the pixels that a place of the map is the nearest to.
                """, valueName: "attribution"))
    var attribution: AttributionOptions?

    @Option(
        help:
            "The number type to compute in; double takes twice the memory and more time, for comparisons to the last digits."
    )
    var precision: Precision = .float

    @Option(
        help:
            "none, which leaves lambda1 the scale of images from 0 to 1, auto for means and standard deviations of the training split, imagenet for those of torchvision's weights, or MEANS,DEVIATIONS by channel."
    )
    var normalize: NormalizationChoice = .none

    @OptionGroup var optimization: OptimizationArguments

    @Option(help: "The number of samples in a batch; with fewer there are more steps an epoch.")
    var batchSize = 128

    @Option(
        help:
            "The number of passes over the training split; 10 show whether it learns, and --resume makes a run longer."
    )
    var epochs = 10

    @Option(
        help:
            "Decides the initial weights and the order of the samples; any number will do, and the same gives the same run."
    )
    var seed: UInt64 = 0

    @Option(
        name: .customLong("init"),
        help: "The initial weights: a safetensors, PyTorch (.pt, .pth) or NPZ file.")
    var initialWeights: String?

    @Option(
        help:
            "What becomes of the last layer of --init: new draws it, keep takes it. (default: keep it where it fits the classes)"
    )
    var head: HeadChoice?

    @Option(help: ClassBalance.argumentHelp)
    var balance: ClassBalance?

    @Flag(help: "Take the samples in the order of the dataset.")
    var noShuffle = false

    @Flag(help: "Leave out the last batch of an epoch where it is smaller than the others.")
    var dropLast = false

    @Option(
        help: ArgumentHelp(
            "Random changes of images and masks, with commas between them: \(Augmentation.grammar).",
            discussion: """
                resized-crop:HxW[:A0:A1[:R0:R1]] resamples a random part of A0 to A1 of the area (0.08:1) and a width of R0 \
                to R1 heights (0.75:1.333) to H x W pixels. rotate:D turns by -D to D degrees, rotate:D0:D1 by D0 to D1. \
                hue:H, for RGB, turns colours by -H to H of the circle. blur:K[:S0:S1] has K x K pixels and a standard \
                deviation of S0 to S1 (0.1:2). All are those of torchvision; masks move with their images.
                """, valueName: "changes"))
    var augment: Augmentation?

    @Option(help: ResizeCrop.argumentHelp)
    var resizeCrop: ResizeCrop?

    @Option(help: "The split to train on; train where the dataset has splits, else all.")
    var split: String?

    func add(to paths: inout CommandPaths) {
        if case .file(let path) = model { paths.read(path, option: .model) }
        paths.read(initialWeights, option: .initialWeights)
    }

    /// The options of a run on a dataset.
    ///
    /// - Parameters:
    ///   - lambda1: nil for what suits the guidance.
    ///   - output: the run that is gone on with, or is done, which has its network in itself; nil for none.
    /// - Throws: `FormatError` where the model cannot be read.
    func options(
        for dataset: Dataset, lambda1: Lambda1?, guidance: GuidanceArguments? = nil,
        resuming output: String? = nil
    ) throws -> TrainingOptions {
        var stream = StreamOptions(
            batchSize: batchSize, isShuffled: !noShuffle, seed: seed, epochs: epochs, split: split,
            dropsLast: dropLast, annotatedFraction: guidance?.annotatedFraction, augmentation: augment)
        stream.resizeCrop = resizeCrop
        stream.balance = balance
        var imported: ImportedModel?
        let description: ModelDescription
        var lost: (path: String, error: FormatError)?
        switch model {
        case .builtIn(let model):
            description = model.description(
                input: try stream.imageShape(of: dataset.imageShape), classCount: dataset.classCount)
        case .file(let path) where ImportedNetwork.isONNX(path):
            do {
                let model = try ImportedModel(
                    path, images: stream.imageShape(of: dataset.imageShape),
                    classCount: head == .keep ? nil : dataset.classCount)
                description = model.description
                imported = model
            } catch let error as FormatError where error.code == .notFound && output != nil {
                // The file, or one beside it with its weights.
                description = ModelDescription(
                    input: dataset.imageShape, classCount: dataset.classCount, layers: [])
                lost = (path, error)
            }
        case .file(let path): description = try ModelFile.read(path)
        }
        var schedule = ScheduleOptions(
            optimization.schedule, stepEpochs: optimization.scheduleEpochs,
            warmupSteps: optimization.warmupSteps)
        schedule.factor = optimization.scheduleFactor ?? schedule.factor
        var options = TrainingOptions(
            model: description,
            loss: LossOptions(
                lambda1: lambda1, lambda1WarmupSteps: lambda1Warmup,
                guidance: guidance?.value ?? .rightReasons, attribution: attribution ?? .inputGradient,
                penaltyTarget: penaltyTarget ?? .sumLogProbability,
                penaltyReduction: penaltyReduction ?? .mean, classWeights: optimization.classWeights,
                groupStepSize: optimization.groupStepSize,
                labelSmoothing: optimization.labelSmoothing),
            optimization: OptimizationOptions(
                optimization.optimizer, learningRate: optimization.learningRate,
                momentum: optimization.momentum,
                isNesterov: optimization.nesterov, weightDecay: optimization.weightDecay, schedule: schedule,
                largestNorm: optimization.clipNorm,
                frozenLayers: optimization.freeze?.split(separator: ",").map(String.init) ?? [],
                frozenEpochs: optimization.unfreezeAfter,
                headLearningRate: optimization.headLearningRate),
            stream: stream)
        options.precision = precision
        options.normalization = normalize
        options.initialWeights = initialWeights ?? imported?.path
        if initialWeights == nil {
            options.initialTensors = imported?.tensors
            options.initialHash = imported?.hash
        }
        options.head = head
        if let lost, let output,
            try !UnfinishedRun.complete(&options, startedFrom: lost.path, output: output)
        {
            throw lost.error
        }
        return options
    }
}

extension ResizeCrop {
    /// Of the commands that show images to networks.
    static var argumentHelp: ArgumentHelp {
        ArgumentHelp(
            "Bring the shorter side of images to S pixels and cut out the centre, of C x C or H x W, masks too: 256:224.",
            valueName: "s:c")
    }
}
