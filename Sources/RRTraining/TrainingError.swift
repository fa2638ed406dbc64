public import RRFormats
internal import RRStreaming

/// Options that contradict each other, or a run that cannot go on or be read.
public struct TrainingError: ExplainedError, Equatable, Sendable {
    public enum Code: Sendable {
        /// An option is out of range or does not go with another.
        case invalidOption
        /// The dataset lacks what training needs, or does not fit the model.
        case unsuitableDataset
        /// A penalty is asked for, but no mask marks a pixel of the samples.
        case nothingAnnotated
        /// Samples are of a class that the model does not have.
        case unknownClass
        /// The loss is no longer a finite number.
        case diverged
        /// A folder is not a run, or one of its files is not what it should be.
        case malformedRun
    }

    /// Where the fault lies.
    public enum Place: Hashable, Sendable {
        /// An option, and what it was given where that tells more.
        case option(OptionName, value: String? = nil)
        /// A file or a folder.
        case file(String)
        /// A step of training, from 0.
        case step(Int)
    }

    public let code: Code
    public let place: Place
    /// What is wrong, and the remedy.
    public let message: Message

    public init(_ code: Code, _ place: Place, _ message: Message) {
        self.code = code
        self.place = place
        self.message = message
    }

    /// A loss or weights that are no longer finite numbers, with what to try.
    ///
    /// - Parameter kept: where the last good weights are; nil where there are none yet.
    static func divergence(step: Int, _ what: Message, kept: Message? = nil) -> TrainingError {
        TrainingError(
            .diverged, .step(step),
            "\(what). \(kept ?? "There was no checkpoint yet.") Try a lower \(option: .learningRate), "
                + "\(option: .largestNorm) 1, \(option: .warmupSteps), a lower \(option: .lambda1) or "
                + "\(option: .lambda1WarmupSteps)")
    }

    /// `lambda1: is above 0, but …`, `step 12: the loss is …`
    public var explanation: Message {
        switch place {
        case .option(let option, nil): "\(option: option): \(message)"
        case .option(let option, let value?): "\(option: option) \(value): \(message)"
        case .file(let path): "\(path): \(message)"
        case .step(let step): "step \(step): \(message)"
        }
    }
}

extension OptionName {
    // How a run learns.
    static let model = OptionName("model")
    static let initialWeights = OptionName("initialWeights")
    static let head = OptionName("head")
    static let normalization = OptionName("normalization")
    static let lambda1 = OptionName("lambda1")
    static let lambda1WarmupSteps = OptionName("lambda1WarmupSteps")
    static let guidance = OptionName("guidance")
    static let adversaryStepCount = OptionName("AdversaryOptions.stepCount")
    static let adversaryRadius = OptionName("AdversaryOptions.radius")
    static let adversaryStepSize = OptionName("AdversaryOptions.stepSize")
    static let balance = OptionName("balance")
    static let bestMetric = OptionName("bestMetric")
    static let consistency = OptionName("CounterexampleOptions.consistency")
    static let counterexampleFill = OptionName("CounterexampleOptions.fill")
    static let counterexamplePlace = OptionName("CounterexampleOptions.place")
    static let counterexampleShare = OptionName("CounterexampleOptions.share")
    static let attribution = OptionName("attribution")
    static let penaltyTarget = OptionName("penaltyTarget")
    static let classWeights = OptionName("classWeights")
    static let groupStepSize = OptionName("groupStepSize")
    static let labelSmoothing = OptionName("labelSmoothing")
    static let optimizer = OptionName("optimizer")
    static let learningRate = OptionName("learningRate")
    static let momentum = OptionName("momentum")
    static let isNesterov = OptionName("isNesterov")
    static let weightDecay = OptionName("weightDecay")
    static let schedule = OptionName("schedule")
    static let stepEpochs = OptionName("stepEpochs")
    static let factor = OptionName("factor")
    static let warmupSteps = OptionName("warmupSteps")
    static let largestNorm = OptionName("largestNorm")
    static let frozenLayers = OptionName("frozenLayers")
    static let frozenEpochs = OptionName("frozenEpochs")
    static let headLearningRate = OptionName("headLearningRate")

    // What it learns from, and what it keeps.
    static let stream = OptionName("stream")
    static let batchSize = OptionName("batchSize")
    static let epochs = OptionName("epochs")
    static let isUnshuffled = OptionName("isShuffled = false")
    static let dropsLast = OptionName("dropsLast")
    static let annotatedFraction = OptionName("annotatedFraction")
    static let augmentation = OptionName("augmentation")
    static let resizeCrop = OptionName("resizeCrop")
    static let validation = OptionName("validation")
    static let patience = OptionName("patience")
    static let collection = OptionName("collection")
    static let threadCount = OptionName("threadCount")
    static let memoryLimit = OptionName("memoryLimit")
    static let force = OptionName("force")
    static let resumes = OptionName("resumes")
    static let checkpointSeconds = OptionName("checkpointSeconds")

    // Masks, and the images that they belong to.
    static let masks = OptionName("masks")
    static let target = OptionName("target")
    package static let predictions = OptionName("predictions")
    static let swapPlace = OptionName("swapPlace")
    static let selection = OptionName("selection")
    static let size = OptionName("size")
    static let color = OptionName("color")

    // Rounds of training.
    static let rounds = OptionName("rounds")
    static let ways = OptionName("ways")
    static let seeds = OptionName("seeds")
    static let heldOutShare = OptionName("heldOutShare")
    static let isPerPixel = OptionName("isPerPixel")
    static let judgedSplit = OptionName("judgedSplit")
}

extension OptionName {
    /// The option that a member of a run's `options` records, by its name.
    init(recordedAs member: String) {
        self = Self.recorded[member] ?? OptionName(snakeCase: member)
    }

    /// The options whose members have other words than they.
    private static let recorded: [String: OptionName] = [
        "augment": .augmentation,
        "augment_fill": .counterexampleFill,
        "augment_place": .counterexamplePlace,
        "augment_share": .counterexampleShare,
        "class_weights_automatic": .classWeights,
        "class_weights_by_group": .classWeights,
        "clip_norm": .largestNorm,
        "collect_masks": .collection,
        "consistency": .consistency,
        "drop_last": .dropsLast,
        "freeze": .frozenLayers,
        "group_dro": .groupStepSize,
        "init": .initialWeights,
        "init_sha256": .initialWeights,
        "judge": .judgedSplit,
        "lambda1_automatic": .lambda1,
        "lambda1_warmup": .lambda1WarmupSteps,
        "mask_target": .target,
        "nesterov": .isNesterov,
        "normalize": .normalization,
        "per_pixel": .isPerPixel,
        "pgd_radius": .adversaryRadius,
        "pgd_step_size": .adversaryStepSize,
        "pgd_steps": .adversaryStepCount,
        "schedule_epochs": .stepEpochs,
        "schedule_factor": .factor,
        "shuffle": .isUnshuffled,
        "unfreeze_after": .frozenEpochs,
        "validation_fingerprint": .validation,
    ]
}
