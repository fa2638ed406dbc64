internal import RRExplanation
internal import RRFormats
internal import RRStreaming

/// What keeps a model from what masks mark, as a sweep tries it.
public enum SweepWay: String, CaseIterable, Codable, Sendable {
    /// Cross-entropy alone, which the others are compared with.
    case plain
    /// The penalty of the input gradient, of the target that the training names.
    case rrr
    /// The penalty of the logits' Jacobian.
    case logitJacobian = "logit-jacobian"
    /// Beside each annotated image one whose mask is filled with what another sample shows there.
    case swap
    /// The same logits for both of them.
    case consistency

    /// What is minimised, with a weight of what comes beside the cross-entropy.
    func loss(_ training: LossOptions, lambda1: Double) -> LossOptions {
        var loss = training
        loss.lambda1 = .value(lambda1)
        switch self {
        case .plain: loss.lambda1WarmupSteps = 0
        case .rrr: loss.guidance = .rightReasons
        case .logitJacobian:
            loss.guidance = .rightReasons
            loss.penaltyTarget = .logitJacobian
        case .swap: loss.guidance = .counterexamples(CounterexampleOptions(fill: .swap))
        case .consistency:
            loss.guidance = .counterexamples(
                CounterexampleOptions(fill: .swap, countsCrossEntropy: false, consistency: 1))
        }
        if self != .rrr, self != .logitJacobian { loss.penaltyTarget = .sumLogProbability }
        return loss
    }
}

/// All that decides the outcome of a sweep, beside the dataset and the masks.
public struct SweepOptions: Sendable {
    /// How every run trains, but for its seed and its loss.
    public var training: TrainingOptions
    /// What is tried beside plain cross-entropy.
    public var ways: [SweepWay] = [.rrr]
    /// The weights λ1 that each way is tried with, ascending and above 0.
    public var weights: [Double] = [0.001, 0.01, 0.1, 1, 10, 100, 1000]
    /// The seeds that each of them is trained with.
    public var seeds: [UInt64]
    /// The share of the samples that are trained on which is held out to judge by.
    public var heldOutShare = 0.2

    public static let largestRunCount = 10_000

    public init(training: TrainingOptions) {
        self.training = training
        seeds = [training.stream.seed]
    }

    /// One training of the sweep.
    struct Trial: Equatable {
        let way: SweepWay
        let lambda1: Double
        let seed: UInt64
    }

    /// The trainings in their order: each seed plainly, and then way after way with ascending weights.
    var trials: [Trial] {
        seeds.flatMap { seed in
            [Trial(way: .plain, lambda1: 0, seed: seed)]
                + ways.flatMap { way in
                    weights.map { Trial(way: way, lambda1: $0, seed: seed) }
                }
        }
    }

    func training(_ trial: Trial) -> TrainingOptions {
        var options = training
        options.loss = trial.way.loss(training.loss, lambda1: trial.lambda1)
        options.stream.seed = trial.seed
        return options
    }

    /// - Throws: `TrainingError` with the code `invalidOption`.
    func check() throws(TrainingError) {
        func require(
            _ condition: Bool, _ option: OptionName, _ message: @autoclosure () -> Message
        ) throws(TrainingError) {
            guard condition else { throw TrainingError(.invalidOption, .option(option), message()) }
        }
        try require(
            !weights.isEmpty && weights.allSatisfy { $0 > 0 && $0.isFinite }, .lambda1,
            "must be numbers above 0; 0 is tried anyway")
        try require(
            zip(weights, weights.dropFirst()).allSatisfy(<), .lambda1, "must ascend, each weight once")
        try require(
            !ways.isEmpty && !ways.contains(.plain), .ways, "must be other than plain, which is tried anyway")
        try require(Set(ways).count == ways.count, .ways, "must be named once each")
        try require(!seeds.isEmpty && Set(seeds).count == seeds.count, .seeds, "must be given once each")
        try require(
            heldOutShare > 0 && heldOutShare < 1, .heldOutShare, "must be above 0 and below 1")
        try require(
            training.collection == nil, .collection,
            "is of one training: run make-masks on the run that is chosen")
        try require(
            training.stream.augmentation?.resizesCrops != true || training.stream.resizeCrop != nil,
            .resizeCrop,
            "is needed to judge a model that is trained on resized crops")
        let count = seeds.count * (1 + ways.count * weights.count)
        try require(
            count <= Self.largestRunCount, .seeds,
            "would make \(count) runs, more than \(Self.largestRunCount)")
    }
}
