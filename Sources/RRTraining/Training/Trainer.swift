public import RRExplanation
internal import RRFormats
public import RRNetworks
public import RRStreaming
internal import RRTensor

/// A network in training: its parameters, the loss that judges them and the optimiser that moves them.
///
/// One caller at a time uses it; it keeps its memory from step to step.
public final class Trainer<Scalar: NetworkScalar> {
    public let network: Network<Scalar>
    public private(set) var parameters: Parameters<Scalar>

    /// What is done to images before they reach the network; nil for nothing.
    public let normalization: InputNormalization?

    /// The number of steps taken.
    public private(set) var stepCount = 0

    private let seed: UInt64
    private let lambda1: Double
    private let refinements: TrainingRefinements
    private let loss: ExplanationLoss<Scalar>
    private let workers: Workers
    /// The parameters that are moved.
    private let trained: [Range<Int>]
    private var optimizer: Optimizer<Scalar>
    private var gradient: [Scalar] = []

    /// Creates a trainer.
    ///
    /// - Parameters:
    ///   - parameters: where training starts; nil for PyTorch's default initialisation from `seed`.
    ///   - seed: decides, beside the initialisation, what dropout leaves out and what the guidance draws.
    ///   - lambda1: the weight of the penalty, at least 0.
    ///   - guidance: what the loss has beside the cross-entropy.
    ///   - imageRanges: the values in each channel, before normalisation, that `Guidance.randomized` draws from; nil for
    ///     0 to 1.
    ///   - refinements: what training may have beyond a loss and an optimiser.
    ///   - threads: the number of threads, without effect on any result; nil for one a processor core.
    /// - Throws: `NetworkError` where the model's layers do not fit each other, and `TrainingError` with the code
    ///   `invalidOption`.
    public init(
        model: ModelDescription, parameters: Parameters<Scalar>? = nil, seed: UInt64 = 0, lambda1: Double,
        target: PenaltyTarget = .sumLogProbability, reduction: PenaltyReduction = .mean,
        guidance: Guidance = .rightReasons, imageRanges: [ClosedRange<Float>]? = nil,
        optimizer: OptimizerOptions = OptimizerOptions(),
        refinements: TrainingRefinements = TrainingRefinements(),
        normalization: InputNormalization? = nil, threads: Int? = nil
    ) throws {
        try optimizer.check()
        try refinements.check(classCount: model.classCount)
        guard lambda1.isFinite, lambda1 >= 0 else {
            throw TrainingError(.invalidOption, .option(.lambda1), "must be a number of at least 0")
        }
        let network = try Network<Scalar>(model)
        self.network = network
        self.normalization = normalization
        self.seed = seed
        self.lambda1 = lambda1
        self.refinements = refinements
        self.parameters = parameters ?? network.initialParameters(seed: seed)
        workers = Workers(count: threads)
        trained = try refinements.trainedRanges(of: network.parameterLayout)
        loss = ExplanationLoss(
            network: network, lambda1: lambda1, target: target, reduction: reduction,
            classWeights: refinements.classWeights, labelSmoothing: refinements.labelSmoothing,
            guidance: guidance, seed: seed,
            imageRanges: normalization?.ranges(
                imageRanges ?? Array(repeating: 0...1, count: model.input.channels)) ?? imageRanges,
            threads: threads)
        self.optimizer = Optimizer(
            optimizer, layout: network.parameterLayout, trained: trained, workers: workers)
    }

    /// The quantity whose input gradient the loss and a visitor meet.
    var penaltyTarget: PenaltyTarget { loss.target }

    /// The rate of the next step.
    public var learningRate: Double { rates.learningRate }

    private var rates: LearningRateSchedule.Rates {
        refinements.schedule?.rates(step: stepCount)
            ?? LearningRateSchedule.Rates(learningRate: optimizer.options.learningRate, momentum: nil)
    }

    /// Takes one training step on a batch of the stream.
    ///
    /// - Returns: the loss before the step.
    /// - Throws: `ExplanationError` where the batch does not fit the model or has no labels.
    public func step(_ batch: Batch) throws(ExplanationError) -> LossTerms {
        try step(LabelledBatch(batch, normalization))
    }

    /// Takes one training step on images as the network shall see them.
    ///
    /// - Returns: the loss before the step.
    /// - Throws: `ExplanationError` where the batch does not fit the model.
    public func step(_ batch: LabelledBatch) throws(ExplanationError) -> LossTerms {
        try step(batch, visitor: nil)
    }

    /// Takes the same step, and shows the input gradient of every sample on the way; see `ExplanationLoss`.
    func step(
        _ batch: LabelledBatch, visitor: (@Sendable (ExplainedSample<Scalar>) -> Void)?
    ) throws(ExplanationError) -> LossTerms {
        loss.lambda1 = refinements.lambda1(lambda1, step: stepCount)
        let dropout = DropoutKey(seed: seed, step: stepCount)
        let terms = try loss.compute(
            batch, at: parameters, dropout: dropout, gradient: &gradient, visitor: visitor)
        if let bound = refinements.largestNorm {
            GradientClipping.clip(&gradient, over: trained, to: bound, workers: workers)
        }
        optimizer.step(&parameters.values, gradient: gradient, rates: rates)
        stepCount += 1
        return terms
    }
}

extension Trainer {
    /// All that the next steps depend on, beside the options.
    struct State {
        let parameters: Parameters<Scalar>
        /// The optimiser's memory, as long as the parameters or empty.
        let first: [Scalar]
        let second: [Scalar]
        let stepCount: Int
    }

    var state: State {
        State(
            parameters: parameters, first: optimizer.first, second: optimizer.second, stepCount: stepCount)
    }

    /// Tells whether a state has the optimiser's memory that these options need.
    func accepts(_ state: State) -> Bool {
        state.first.count == optimizer.first.count && state.second.count == optimizer.second.count
    }

    /// Goes on from the state of a trainer with the same options.
    func restore(_ state: State) {
        parameters = state.parameters
        optimizer.restore(first: state.first, second: state.second, stepCount: state.stepCount)
        stepCount = state.stepCount
    }
}
