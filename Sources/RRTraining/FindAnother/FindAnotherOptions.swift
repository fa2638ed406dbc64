public import RRExplanation
internal import RRFormats
internal import RRNetworks
internal import RRStreaming
internal import RRTensor

/// All that decides the outcome of a search for other explanations, beside the dataset.
public struct FindAnotherOptions: Sendable {
    /// How every round trains. λ1 is that of the rounds from the second on: the first has no masks.
    public var training: TrainingOptions
    /// The number of models that are trained.
    public var rounds = 2
    /// Which elements of a sample's input gradient become its mask.
    public var selection: MaskSelection = .threshold(0.67)
    /// What is differentiated for the masks: the paper's code takes the largest probability.
    public var target: PenaltyTarget = .predicted
    /// Whether |gradient| is summed over channels, so that whole pixels are selected.
    public var isPerPixel = false
    /// The split that the models are measured on; nil for `test` where the dataset has splits, else all samples.
    public var judgedSplit: String?

    public static let largestRoundCount = 1000

    /// Takes a λ1 of 1000 where `training` has none: A is then out of the question.
    public init(training: TrainingOptions) {
        self.training = training
        self.training.loss.lambda1 = training.loss.lambda1 ?? 1000
    }

    /// How a round, from 1, trains.
    func training(inRound number: Int) -> TrainingOptions {
        guard number == 1 else { return training }
        var plain = training
        plain.loss.lambda1 = .value(0)
        plain.loss.lambda1WarmupSteps = 0
        // The other kinds need masks, or do without them in every round.
        plain.loss.guidance = .rightReasons
        return plain
    }

    /// - Throws: `TrainingError` with the code `invalidOption`, or `ExplanationError` where the selection is impossible.
    func check() throws {
        guard rounds >= 1, rounds <= Self.largestRoundCount else {
            throw TrainingError(
                .invalidOption, .option(.rounds), "must be from 1 to \(Self.largestRoundCount)")
        }
        guard training.loss.lambda1 != .value(0) else {
            throw TrainingError(
                .invalidOption, .option(.lambda1),
                "must be above 0, or every round would train the same model")
        }
        let resizesCrops = training.stream.augmentation?.resizesCrops ?? false
        guard training.stream.resizeCrop == nil, !resizesCrops else {
            throw TrainingError(
                .invalidOption, .option(resizesCrops ? .augmentation : .resizeCrop),
                "does not go with masks that are made in rounds, for images of the dataset's own size: leave "
                    + "resized crops out")
        }
        try training.check(hasMasks: true)
        let input = training.model.input
        try selection.check(elementCount: isPerPixel ? input.pixelCount : input.elementCount)
    }
}
