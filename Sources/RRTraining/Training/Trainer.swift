public import RRExplanation
public import RRNetworks
public import RRStreaming
public import RRFormats
internal import RRTensor

/// How long a training is, which schedules of the learning rate go by.
public struct TrainingLength: Hashable, Sendable {
    public var stepsPerEpoch: Int
    /// The number of steps of the whole training.
    public var stepCount: Int

    public init(stepsPerEpoch: Int, stepCount: Int) {
        self.stepsPerEpoch = stepsPerEpoch
        self.stepCount = stepCount
    }

    /// All epochs of a stream, whatever place it begins at; the largest number there is where they would exceed that.
    public init(of stream: BatchStream, epochs: Int) {
        stepsPerEpoch = stream.batchesPerEpoch
        let (product, overflow) = stream.batchesPerEpoch.multipliedReportingOverflow(by: epochs)
        stepCount = overflow ? .max : product
    }
}

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
    /// λ1 after its warm-up.
    private let lambda1: Double
    private let lambda1WarmupSteps: Int
    private let largestNorm: Double?
    private let schedule: LearningRateSchedule
    /// That of the head.
    private let headSchedule: LearningRateSchedule
    private let loss: ExplanationLoss<Scalar>
    private let workers: Workers
    /// The parameters that are moved, at once or after some steps.
    private let groups: [TrainedGroup]
    private var optimizer: Optimizer<Scalar>

    /// Creates a trainer.
    ///
    /// - Parameters:
    ///   - model: the network to train.
    ///   - parameters: where training starts; nil for PyTorch's default initialisation from `seed`.
    ///   - loss: λ1 and the class weights as numbers, for there is no dataset to choose them by.
    ///   - optimization: the optimiser and its schedule.
    ///   - length: nil where the learning rate does not go by it.
    ///   - normalization: what is done to images before they reach the network; nil for nothing.
    ///   - seed: decides, beside the initialisation, what dropout leaves out and what the guidance draws.
    ///   - threadCount: without effect on any result; nil for one a processor core.
    /// - Throws: `NetworkError` where the model's layers do not fit each other, and `TrainingError` with the code
    ///   `invalidOption`.
    public convenience init(
        model: ModelDescription, parameters: Parameters<Scalar>? = nil, loss: LossOptions,
        optimization: OptimizationOptions = OptimizationOptions(), length: TrainingLength? = nil,
        normalization: InputNormalization? = nil, seed: UInt64 = 0, threadCount: Int? = nil
    ) throws {
        try self.init(
            network: Network(model), parameters: parameters, loss: loss, optimization: optimization,
            length: length, normalization: normalization, seed: seed, threadCount: threadCount)
    }

    /// Creates a trainer of a network whose memory may be bounded.
    init(
        network: Network<Scalar>, parameters: Parameters<Scalar>?, loss: LossOptions,
        optimization: OptimizationOptions, length: TrainingLength? = nil,
        normalization: InputNormalization?, seed: UInt64, threadCount: Int?
    ) throws {
        let model = network.model
        try optimization.check()
        try loss.check(classCount: model.classCount)
        guard case .value(let lambda1) = loss.lambda1, lambda1.isFinite, lambda1 >= 0 else {
            throw TrainingError(.invalidOption, .option(.lambda1), "must be a number of at least 0")
        }
        let classWeights: [Double]?
        switch loss.classWeights {
        case .equal: classWeights = nil
        case .fixed(let weights): classWeights = weights
        case .automatic, .groups:
            throw TrainingError(
                .invalidOption, .option(.classWeights), "must be numbers: a trainer has no dataset to count")
        }
        guard length != nil || optimization.schedule.kind == .constant else {
            throw TrainingError(
                .invalidOption, .option(.schedule), "goes by the length of the training, which is not given")
        }
        guard length != nil || optimization.frozenEpochs == nil else {
            throw TrainingError(
                .invalidOption, .option(.frozenEpochs), "goes by the length of an epoch, which is not given")
        }
        try network.checkMemory()
        self.network = network
        self.parameters = parameters ?? network.initialParameters(seed: seed)
        self.normalization = normalization
        self.seed = seed
        self.lambda1 = lambda1
        lambda1WarmupSteps = loss.lambda1WarmupSteps
        largestNorm = optimization.largestNorm
        let length = length ?? TrainingLength(stepsPerEpoch: 1, stepCount: 1)
        schedule = LearningRateSchedule(optimization, length: length)
        var headOptimization = optimization
        headOptimization.learningRate = optimization.headLearningRate ?? optimization.learningRate
        headSchedule = LearningRateSchedule(headOptimization, length: length)
        workers = Workers(count: threadCount)
        try optimization.checkFrozenLayers(of: network.parameterLayout)
        groups = TrainedGroup.groups(
            of: network.parameterLayout, optimization, stepsPerEpoch: length.stepsPerEpoch)
        self.loss = try ExplanationLoss(
            network: network, lambda1: lambda1, target: loss.penaltyTarget, reduction: loss.penaltyReduction,
            classWeights: classWeights, labelSmoothing: loss.labelSmoothing,
            guidance: loss.guidance, attribution: loss.attribution.attribution(in: network), seed: seed,
            imageRanges: normalization?.ranges(
                loss.imageRanges ?? Array(repeating: 0...1, count: model.input.channels))
                ?? loss.imageRanges,
            imageMoments: normalization?.moments(
                loss.imageMoments ?? Array(repeating: .ofUnit, count: model.input.channels))
                ?? loss.imageMoments,
            threadCount: threadCount)
        self.loss.groupWeighting = loss.groupWeighting
        optimizer = Optimizer(
            optimization, layout: network.parameterLayout, groups: groups, workers: workers)
    }

    /// Creates a trainer that goes on from the weights of a run, or of files that `Run.init(modelPath:weightsPath:)` names,
    /// with that run's model and normalisation.
    ///
    /// - Throws: as `init(model:parameters:…)`, and `FormatError` where the weights cannot be read or are not the model's.
    public convenience init(
        from run: Run, loss: LossOptions, optimization: OptimizationOptions = OptimizationOptions(),
        length: TrainingLength? = nil, seed: UInt64 = 0, threadCount: Int? = nil
    ) throws {
        try self.init(
            model: run.model, parameters: run.parameters(of: Network(run.model)), loss: loss,
            optimization: optimization, length: length, normalization: run.normalization, seed: seed,
            threadCount: threadCount)
    }

    /// Writes the parameters as a safetensors file, which PyTorch loads by the same names, whole or not at all.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - force: whether a file that is there is replaced.
    /// - Throws: `FormatError` with the code `outputExists` or `cannotWrite`.
    public func writeWeights(to path: String, force: Bool = false) throws(FormatError) {
        let output = try AtomicOutput(path: path, force: force)
        try WeightsFile.write(parameters, to: output.temporaryPath)
        try output.commit()
    }

    /// Gives back the memory of groups of samples, which the next step would take again.
    func releaseMemory() { loss.releaseMemory() }

    /// The number of threads that work.
    var threadCount: Int { workers.count }

    /// The quantity whose input gradient the loss and a visitor meet.
    var penaltyTarget: PenaltyTarget { loss.target }

    /// q of robust groups, after the last step; empty without.
    package var groupWeights: [Double] { loss.groupWeighting?.robustness?.weights ?? [] }

    /// Whether a batch has to tell the groups of its samples.
    var weighsGroups: Bool { loss.groupWeighting != nil }

    /// The rate of the next step.
    public var learningRate: Double { schedule.rates(step: stepCount).learningRate }

    /// Takes one training step on a batch of the stream.
    ///
    /// - Returns: the loss before the step.
    /// - Throws: `ExplanationError` where the batch does not fit the model or has no labels.
    public func step(_ batch: Batch) throws(ExplanationError) -> LossTerms {
        try step(LabelledBatch(batch, normalization), visitor: nil)
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
        loss.lambda1 =
            stepCount < lambda1WarmupSteps
            ? lambda1 * Double(stepCount) / Double(lambda1WarmupSteps) : lambda1
        let moved = groups.filter { $0.firstStep <= stepCount }.flatMap(\.ranges)
        loss.trainedRanges = moved
        let (terms, gradient) = try loss.compute(
            batch, at: parameters, dropout: DropoutKey(seed: seed, step: stepCount), visitor: visitor)
        let (rates, headRates) = (schedule.rates(step: stepCount), headSchedule.rates(step: stepCount))
        optimizer.step(&parameters.values, rates: groups.map { $0.isHead ? headRates : rates }) { move in
            guard let largestNorm else { return gradient.forEachPiece(move) }
            // The norm is that of all pieces.
            let whole = gradient.collect()
            GradientClipping.clip(whole, over: moved, to: largestNorm, workers: workers)
            if let start = whole.baseAddress { move(whole.indices, start) }
        }
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
        /// q of robust groups; empty without.
        var groupWeights: [Double] = []
    }

    var state: State {
        State(
            parameters: parameters, first: optimizer.first, second: optimizer.second, stepCount: stepCount,
            groupWeights: groupWeights)
    }

    /// Tells whether a state has the memory of the optimiser and of groups that these options need.
    func accepts(_ state: State) -> Bool {
        state.groupWeights.count == groupWeights.count && state.first.count == optimizer.first.count
            && state.second.count == optimizer.second.count
    }

    /// Goes on from the state of a trainer with the same options.
    func restore(_ state: State) {
        parameters = state.parameters
        optimizer.restore(first: state.first, second: state.second, stepCount: state.stepCount)
        stepCount = state.stepCount
        loss.groupWeighting?.restore(state.groupWeights)
    }
}

extension LabelledBatch {
    /// Shares labels, rows and, where any sample is annotated, masks with a batch of the stream, and its images and
    /// counterexamples where they are not normalised.
    package init(_ batch: Batch, _ normalization: InputNormalization?) throws(ExplanationError) {
        func scaled(_ images: SharedElements<Float>) -> SharedElements<Float> {
            normalization?.scaled(images, pixelCount: batch.imageShape.pixelCount) ?? images
        }
        let isAnnotated = batch.annotated.contains(true)
        try self.init(
            imageShape: batch.imageShape, images: scaled(batch.images), labels: batch.labels,
            masks: isAnnotated ? batch.masks : nil,
            counterexamples: isAnnotated && !batch.counterexamples.isEmpty
                ? scaled(batch.counterexamples) : nil,
            indices: batch.indices, epoch: batch.epoch)
    }
}
