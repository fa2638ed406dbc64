public import RRExplanation
public import RRNetworks
public import RRStreaming

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
    private let loss: ExplanationLoss<Scalar>
    private var optimizer: Optimizer<Scalar>
    private var gradient: [Scalar] = []

    /// Creates a trainer.
    ///
    /// - Parameters:
    ///   - parameters: where training starts; nil for PyTorch's default initialisation from `seed`.
    ///   - seed: decides, beside the initialisation, what dropout leaves out.
    ///   - lambda1: the weight of the penalty, at least 0.
    ///   - threads: the number of threads, without effect on any result; nil for one a processor core.
    /// - Throws: `NetworkError` where the model's layers do not fit each other, and `TrainingError` with the code
    ///   `invalidOption`.
    public init(
        model: ModelDescription, parameters: Parameters<Scalar>? = nil, seed: UInt64 = 0, lambda1: Double,
        target: PenaltyTarget = .sumLogProbability, reduction: PenaltyReduction = .mean,
        optimizer: OptimizerOptions = OptimizerOptions(), normalization: InputNormalization? = nil,
        threads: Int? = nil
    ) throws {
        try optimizer.check()
        guard lambda1.isFinite, lambda1 >= 0 else {
            throw TrainingError(.invalidOption, "--lambda1", "must be a number of at least 0")
        }
        let network = try Network<Scalar>(model)
        self.network = network
        self.normalization = normalization
        self.seed = seed
        self.parameters = parameters ?? network.initialParameters(seed: seed)
        loss = ExplanationLoss(
            network: network, lambda1: lambda1, target: target, reduction: reduction, threads: threads)
        self.optimizer = Optimizer(
            optimizer, layout: network.parameterLayout, workers: Workers(count: threads))
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
        let dropout = DropoutKey(seed: seed, step: stepCount)
        let terms = try loss.compute(batch, at: parameters, dropout: dropout, gradient: &gradient)
        optimizer.step(&parameters.values, gradient: gradient)
        stepCount += 1
        return terms
    }
}
