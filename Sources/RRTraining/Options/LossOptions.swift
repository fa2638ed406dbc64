public import RRExplanation
internal import RRFormats

/// The weight of the penalty.
public enum Lambda1: Hashable, Sendable, ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
    case value(Double)
    /// CE / R over annotated samples after 100 steps of plain cross-entropy, from 1e-3 to 1e3.
    case automatic

    public init(floatLiteral value: Double) { self = .value(value) }
    public init(integerLiteral value: Int) { self = .value(Double(value)) }
}

/// How training weighs the classes in the cross-entropy.
public enum ClassWeights: Hashable, Sendable {
    case equal
    /// N / (K n_k) for a class with n_k of the N samples and K classes, so that every class weighs the same in
    /// all; 1 for a class without samples.
    case automatic
    /// The same for groups: N / (G n_g) for each sample of a group with n_g of the N samples, of G groups.
    case groups
    /// One weight a class.
    case fixed([Double])

    /// The weights that `automatic` stands for, and those of groups.
    static func balanced(_ labels: some Collection<Int>, classCount: Int) -> [Double] {
        var counts = Array(repeating: 0, count: classCount)
        for label in labels { counts[label] += 1 }
        return counts.map { $0 == 0 ? 1 : Double(labels.count) / (Double(classCount) * Double($0)) }
    }

    /// One weight a class; nil where all are alike.
    var values: [Double]? { if case .fixed(let weights) = self { weights } else { nil } }
}

/// What is minimised: cross-entropy, and λ1 times what keeps a model from looking where no valid reason is.
public struct LossOptions: Hashable, Sendable {
    /// The weight of what `guidance` adds to the cross-entropy; nil for what suits it: `automatic` for `rightReasons` with
    /// masks and 0 without any, 1 for counterexamples. `inputGradient` needs a number.
    public var lambda1: Lambda1?
    /// The first steps, over which λ1 rises in a straight line from 0.
    public var lambda1WarmupSteps: Int
    public var guidance: Guidance
    /// What `Guidance.rightReasons` holds against the masks.
    public var attribution: AttributionOptions
    public var penaltyTarget: PenaltyTarget
    public var penaltyReduction: PenaltyReduction
    public var classWeights: ClassWeights
    /// η of distributionally robust optimisation over the dataset's groups, `GroupWeighting.robust`; nil for none.
    public var groupStepSize: Double?
    /// What groups weigh; a `TrainingLoop` sets it itself, by its dataset.
    public var groupWeighting: GroupWeighting?
    /// ε: how much of each label is spread over all classes, from 0 to 1.
    public var labelSmoothing: Double
    /// The values in each channel, before normalisation, that counterexamples draw uniform ones from; nil for 0 to 1. A
    /// `TrainingLoop` measures them itself where images are floats.
    public var imageRanges: [ClosedRange<Float>]?
    /// The mean and the deviation of each channel, before normalisation, for counterexamples of normal values or of means;
    /// nil for those of values from 0 to 1. A `TrainingLoop` measures them itself.
    public var imageMoments: [ChannelMoments]?

    /// Creates options; training checks them.
    public init(
        lambda1: Lambda1? = nil, lambda1WarmupSteps: Int = 0, guidance: Guidance = .rightReasons,
        attribution: AttributionOptions = .inputGradient, penaltyTarget: PenaltyTarget = .sumLogProbability,
        penaltyReduction: PenaltyReduction = .mean,
        classWeights: ClassWeights = .equal, groupStepSize: Double? = nil, labelSmoothing: Double = 0,
        imageRanges: [ClosedRange<Float>]? = nil, imageMoments: [ChannelMoments]? = nil
    ) {
        self.lambda1 = lambda1
        self.lambda1WarmupSteps = lambda1WarmupSteps
        self.guidance = guidance
        self.attribution = attribution
        self.penaltyTarget = penaltyTarget
        self.penaltyReduction = penaltyReduction
        self.classWeights = classWeights
        self.groupStepSize = groupStepSize
        self.labelSmoothing = labelSmoothing
        self.imageRanges = imageRanges
        self.imageMoments = imageMoments
    }

    /// Checks what needs no dataset.
    ///
    /// - Throws: `TrainingError` with the code `invalidOption`, naming the option.
    func check(classCount: Int) throws(TrainingError) {
        guard labelSmoothing >= 0, labelSmoothing <= 1 else {
            throw TrainingError(.invalidOption, .option(.labelSmoothing), "must be from 0 to 1")
        }
        guard lambda1WarmupSteps >= 0 else {
            throw TrainingError(.invalidOption, .option(.lambda1WarmupSteps), "must be at least 0 steps")
        }
        if let groupStepSize {
            guard groupStepSize > 0, groupStepSize.isFinite else {
                throw TrainingError(.invalidOption, .option(.groupStepSize), "must be a number above 0")
            }
            guard classWeights != .groups else {
                throw TrainingError(
                    .invalidOption, .option(.groupStepSize),
                    "weighs groups by their losses, and \(option: .classWeights) groups by their sizes: give one of them"
                )
            }
        }
        guard let weights = classWeights.values else { return }
        guard weights.count == classCount else {
            throw TrainingError(
                .invalidOption, .option(.classWeights),
                "has \(weights.count) weights, but the model has \(classCount) classes")
        }
        guard weights.allSatisfy({ $0 >= 0 && $0.isFinite }), weights.contains(where: { $0 > 0 }) else {
            throw TrainingError(
                .invalidOption, .option(.classWeights),
                "must be numbers of at least 0, and not all of them 0")
        }
    }

    /// Checks what the guidance asks of the masks and of the other options.
    ///
    /// - Throws: `TrainingError` with the code `invalidOption`, naming the option.
    func checkGuidance(hasMasks: Bool) throws(TrainingError) {
        func require(
            _ condition: Bool, _ option: OptionName, _ message: @autoclosure () -> Message
        ) throws(TrainingError) {
            guard condition else { throw TrainingError(.invalidOption, .option(option), message()) }
        }
        guard guidance != .rightReasons else { return }
        let name = guidance.name
        try require(
            penaltyTarget == .sumLogProbability, .penaltyTarget,
            "is of \(option: .guidance) rrr; \(name) is about the cross-entropy of the label")
        try require(
            attribution == .inputGradient, .attribution,
            "is of \(option: .guidance) rrr; \(name) is about the cross-entropy of the label")
        try require(
            lambda1 != .automatic && lambda1 != nil, .lambda1,
            "auto is of \(option: .guidance) rrr: give \(name) a number, as 1")
        if guidance == .inputGradient {
            try require(
                !hasMasks, .guidance,
                "input-gradient is over all pixels of all samples and takes no \(option: .masks); "
                    + "\(option: .guidance) rrr \(option: .penaltyTarget) label is the same inside the masks")
        } else {
            try require(
                hasMasks, .guidance,
                "\(name) changes pixels inside the masks, and there are none: give \(option: .masks)")
        }
        if case .counterexamples(let options) = guidance { try check(options) }
        guard case .adversarial(let adversary) = guidance else { return }
        try require(1...10_000 ~= adversary.stepCount, .adversaryStepCount, "must be from 1 to 10,000")
        try require(
            adversary.radius > 0 && adversary.radius.isFinite, .adversaryRadius, "must be a number above 0")
        try require(
            adversary.stepSize > 0 && adversary.stepSize.isFinite, .adversaryStepSize,
            "must be a number above 0")
    }

    private func check(_ counterexamples: CounterexampleOptions) throws(TrainingError) {
        func require(
            _ condition: Bool, _ option: OptionName, _ message: @autoclosure () -> Message
        ) throws(TrainingError) {
            guard condition else { throw TrainingError(.invalidOption, .option(option), message()) }
        }
        let (share, weight) = (counterexamples.share, counterexamples.consistency)
        try require(share > 0 && share <= 1, .counterexampleShare, "must be above 0 and at most 1")
        try require(weight >= 0 && weight.isFinite, .consistency, "must be a number of at least 0")
        try require(
            counterexamples.countsCrossEntropy || weight > 0, .consistency,
            "must be above 0 where nothing else is weighed")
        guard counterexamples.place == .instead else { return }
        try require(
            counterexamples.countsCrossEntropy && weight == 0, .counterexamplePlace,
            "instead leaves no image to compare the changed one with: put it beside")
        try require(
            lambda1 == .value(1) || lambda1 == .value(0), .lambda1,
            "weighs what is beside the images, and with \(option: .counterexamplePlace) instead nothing is: leave it out"
        )
    }
}
