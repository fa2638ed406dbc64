internal import RRFormats
internal import RRNetworks

/// How parameters follow their gradient, with the names and the defaults of PyTorch's optimisers.
public struct OptimizationOptions: Hashable, Sendable {
    public enum Optimizer: String, CaseIterable, Codable, Sendable {
        /// Stochastic gradient descent, with momentum where that is above 0.
        case sgd
        /// Adam (Kingma and Ba, 2015); weight decay is added to the gradient as an L2 term.
        case adam
        /// AdamW (Loshchilov and Hutter, 2019); weight decay is decoupled from the gradient.
        case adamw
    }

    public var optimizer: Optimizer
    public var learningRate: Double
    /// Of `sgd` only.
    public var momentum: Double
    /// Whether `sgd` looks ahead along its momentum, as `SGD(nesterov=True)`.
    public var isNesterov: Bool
    public var weightDecay: Double
    /// How the learning rate goes.
    public var schedule: ScheduleOptions
    /// The largest Euclidean norm of the gradient, which is scaled down to it; nil for any.
    public var largestNorm: Double?
    /// The layers whose parameters stay as they are, by the beginnings of their names: `0`, `3.body`. `..layer2` is that
    /// layer and all before it, and `backbone` all but the head.
    public var frozenLayers: [String]
    /// The epochs after which the frozen layers are trained too; nil for never.
    public var frozenEpochs: Int?
    /// What the learning rate is for the head, the last layer with parameters, in place of `learningRate`; nil for the same.
    public var headLearningRate: Double?

    /// β1, β2 and ε of Adam, as PyTorch sets them by default.
    static let firstDecay = 0.9
    static let secondDecay = 0.999
    static let epsilon = 1e-8

    /// Creates options; training checks them.
    public init(
        _ optimizer: Optimizer = .adam, learningRate: Double = 1e-3, momentum: Double = 0,
        isNesterov: Bool = false, weightDecay: Double = 0, schedule: ScheduleOptions = ScheduleOptions(),
        largestNorm: Double? = nil, frozenLayers: [String] = [], frozenEpochs: Int? = nil,
        headLearningRate: Double? = nil
    ) {
        self.optimizer = optimizer
        self.learningRate = learningRate
        self.momentum = momentum
        self.isNesterov = isNesterov
        self.weightDecay = weightDecay
        self.schedule = schedule
        self.largestNorm = largestNorm
        self.frozenLayers = frozenLayers
        self.frozenEpochs = frozenEpochs
        self.headLearningRate = headLearningRate
    }

    /// - Throws: `TrainingError` with the code `invalidOption`, naming the option.
    func check() throws(TrainingError) {
        func require(
            _ condition: Bool, _ option: OptionName, _ message: @autoclosure () -> Message
        ) throws(TrainingError) {
            guard condition else { throw TrainingError(.invalidOption, .option(option), message()) }
        }
        try require(
            learningRate.isFinite && learningRate >= 0, .learningRate, "must be a number of at least 0")
        try require(momentum >= 0 && momentum < 1, .momentum, "must be at least 0 and below 1")
        try require(
            momentum == 0 || optimizer == .sgd, .momentum,
            "goes with \(option: .optimizer) sgd; \(optimizer.rawValue) has its own")
        try require(
            !isNesterov || momentum > 0, .isNesterov,
            "needs \(option: .optimizer) sgd and \(option: .momentum) above 0")
        try require(
            weightDecay.isFinite && weightDecay >= 0, .weightDecay, "must be a number of at least 0")
        if let headLearningRate {
            try require(
                headLearningRate.isFinite && headLearningRate >= 0, .headLearningRate,
                "must be a number of at least 0")
        }
        if let frozenEpochs {
            try require(frozenEpochs >= 1, .frozenEpochs, "must be at least 1 epoch")
            try require(
                !frozenLayers.isEmpty, .frozenEpochs,
                "needs \(option: .frozenLayers), the layers that are frozen until then")
        }
        try schedule.check()
        if let largestNorm {
            try require(largestNorm > 0 && largestNorm.isFinite, .largestNorm, "must be a number above 0")
        }
    }

    /// Checks that the frozen layers are the network's and leave something to train.
    ///
    /// - Throws: `TrainingError` with the code `invalidOption`.
    func checkFrozenLayers(of layout: ParameterLayout) throws(TrainingError) {
        for layer in frozenLayers where !layout.hasLayers(layer) {
            throw TrainingError(
                .invalidOption, .option(.frozenLayers),
                "“\(layer)” is no layer of this model with weights, which has "
                    + layout.layerNames.joined(separator: ", ") + "; “backbone” is all but the head, and "
                    + "“..NAME” a layer with all before it"
                    + NearestNames(to: layer, among: layout.layerNames + ["backbone"]).question)
        }
        guard frozenLayers.isEmpty || !layout.trainedRanges(except: frozenLayers).isEmpty else {
            throw TrainingError(.invalidOption, .option(.frozenLayers), "leaves nothing to train")
        }
    }
}
