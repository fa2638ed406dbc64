internal import RRFormats

/// How parameters follow their gradient, with the names and the defaults of PyTorch's optimisers.
public struct OptimizerOptions: Hashable, Sendable {
    public enum Kind: String, CaseIterable, Codable, Sendable {
        /// Stochastic gradient descent, with momentum where that is above 0.
        case sgd
        /// Adam (Kingma and Ba, 2015); weight decay is added to the gradient as an L2 term.
        case adam
        /// AdamW (Loshchilov and Hutter, 2019); weight decay is decoupled from the gradient.
        case adamw
    }

    public var kind: Kind
    public var learningRate: Double
    /// Of `sgd` only.
    public var momentum: Double
    /// Whether `sgd` looks ahead along its momentum, as `SGD(nesterov=True)`.
    public var isNesterov: Bool
    public var weightDecay: Double

    /// β1, β2 and ε of Adam, as PyTorch sets them by default.
    static let firstDecay = 0.9
    static let secondDecay = 0.999
    static let epsilon = 1e-8

    /// Creates options; training checks them.
    public init(
        _ kind: Kind = .adam, learningRate: Double = 1e-3, momentum: Double = 0, isNesterov: Bool = false,
        weightDecay: Double = 0
    ) {
        self.kind = kind
        self.learningRate = learningRate
        self.momentum = momentum
        self.isNesterov = isNesterov
        self.weightDecay = weightDecay
    }

    /// - Throws: `TrainingError` with the code `invalidOption`, naming the option.
    func check() throws(TrainingError) {
        guard learningRate.isFinite, learningRate >= 0 else {
            throw TrainingError(.invalidOption, .option(.learningRate), "must be a number of at least 0")
        }
        guard momentum >= 0, momentum < 1 else {
            throw TrainingError(.invalidOption, .option(.momentum), "must be at least 0 and below 1")
        }
        guard momentum == 0 || kind == .sgd else {
            throw TrainingError(
                .invalidOption, .option(.momentum),
                "goes with \(option: .optimizer) sgd; \(kind.rawValue) has its own")
        }
        guard !isNesterov || momentum > 0 else {
            throw TrainingError(
                .invalidOption, .option(.isNesterov),
                "needs \(option: .optimizer) sgd and \(option: .momentum) above 0")
        }
        guard weightDecay.isFinite, weightDecay >= 0 else {
            throw TrainingError(.invalidOption, .option(.weightDecay), "must be a number of at least 0")
        }
    }
}
