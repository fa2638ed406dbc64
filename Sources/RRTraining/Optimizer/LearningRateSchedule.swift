import Glibc
internal import RRFormats

/// How the learning rate goes over a run, with the names and defaults of PyTorch's `torch.optim.lr_scheduler`.
public struct ScheduleOptions: Hashable, Sendable {
    public enum Kind: String, CaseIterable, Codable, Sendable {
        case constant
        /// `StepLR`: the rate times `factor` every `stepEpochs` epochs.
        case step
        /// `CosineAnnealingLR`, taken every step: half a cosine from the rate to 0.
        case cosine
        /// `OneCycleLR` (Smith and Topin, 2018) with its defaults: up to the rate in the first 30 % of the steps from
        /// 1/25 of it, then down to 1/10,000 of where it began; the momentum of sgd and β1 of Adam go
        /// from 0.95 to 0.85 and back.
        case oneCycle = "one-cycle"
    }

    public var kind: Kind
    /// The epochs between two falls of `step`; nil for any other kind.
    public var stepEpochs: Int?
    /// What `step` multiplies the rate by.
    public var factor: Double
    /// The first steps, in which the rate rises in a straight line from a hundredth: `LinearLR` with the start factor
    /// 0.01, followed by `cosine` over the steps that are left, or multiplied with `constant` and `step`.
    public var warmupSteps: Int

    public init(_ kind: Kind = .constant, stepEpochs: Int? = nil, factor: Double = 0.1, warmupSteps: Int = 0)
    {
        self.kind = kind
        self.stepEpochs = stepEpochs
        self.factor = factor
        self.warmupSteps = warmupSteps
    }

    /// - Throws: `TrainingError` with the code `invalidOption`, naming the option.
    func check() throws(TrainingError) {
        guard (kind == .step) == (stepEpochs != nil) else {
            throw TrainingError(
                .invalidOption, .option(.stepEpochs),
                kind == .step
                    ? "is needed by \(option: .schedule) step: the epochs after which the rate falls"
                    : "goes with \(option: .schedule) step, not \(kind.rawValue)")
        }
        if let stepEpochs, stepEpochs < 1 {
            throw TrainingError(.invalidOption, .option(.stepEpochs), "must be at least 1")
        }
        guard factor > 0, factor.isFinite else {
            throw TrainingError(.invalidOption, .option(.factor), "must be a number above 0")
        }
        guard warmupSteps >= 0 else {
            throw TrainingError(.invalidOption, .option(.warmupSteps), "must be at least 0")
        }
        guard warmupSteps == 0 || kind != .oneCycle else {
            throw TrainingError(
                .invalidOption, .option(.warmupSteps),
                "does not go with \(option: .schedule) one-cycle, which warms up itself")
        }
    }
}

/// The learning rate of every step of a run of known length.
public struct LearningRateSchedule: Sendable {
    /// What an optimiser takes for one step.
    public struct Rates: Equatable, Sendable {
        public let learningRate: Double
        /// The momentum of sgd, or β1 of Adam; nil for the optimiser's own.
        public let momentum: Double?
    }

    private let optimization: OptimizationOptions
    private let length: TrainingLength

    private static let warmupStart = 0.01
    private static let riseShare = 0.3
    private static let divisor = 25.0
    private static let finalDivisor = 1e4
    private static let momentumBounds = 0.85...0.95

    /// - Parameters:
    ///   - optimization: has the rate that its schedule starts from, or for `oneCycle` rises to. The momentum
    ///     of sgd is cycled only where it is above 0.
    ///   - length: the length of the training that the schedule goes by.
    public init(_ optimization: OptimizationOptions, length: TrainingLength) {
        self.optimization = optimization
        self.length = length
    }

    /// The rates of a step, from 0.
    public func rates(step: Int) -> Rates {
        let options = optimization.schedule
        let isWarmingUp = step < options.warmupSteps
        let warmup =
            isWarmingUp
            ? Self.warmupStart + (1 - Self.warmupStart) * Double(step) / Double(options.warmupSteps) : 1
        let base = optimization.learningRate
        switch options.kind {
        case .constant: return Rates(learningRate: base * warmup, momentum: nil)
        case .step:
            let falls = step / max(length.stepsPerEpoch, 1) / (options.stepEpochs ?? 1)
            return Rates(learningRate: base * warmup * pow(options.factor, Double(falls)), momentum: nil)
        case .cosine:
            return Rates(learningRate: base * (isWarmingUp ? warmup : cosine(step)), momentum: nil)
        case .oneCycle: return oneCycle(step)
        }
    }

    private func cosine(_ step: Int) -> Double {
        let warmupSteps = optimization.schedule.warmupSteps
        let share = Double(step - warmupSteps) / Double(max(length.stepCount - warmupSteps, 1))
        return (1 + cos(.pi * share)) / 2
    }

    private func oneCycle(_ step: Int) -> Rates {
        let base = optimization.learningRate
        let initial = base / Self.divisor
        let peak = Self.riseShare * Double(length.stepCount) - 1
        let momentum = Self.momentumBounds
        let isRising = Double(step) <= peak
        let start = isRising ? 0 : peak
        let end = isRising ? peak : Double(length.stepCount - 1)
        let share = end > start ? (Double(step) - start) / (end - start) : 1
        func between(_ from: Double, _ to: Double) -> Double {
            to + (from - to) / 2 * (1 + cos(.pi * share))
        }
        return Rates(
            learningRate: isRising
                ? between(initial, base) : between(base, initial / Self.finalDivisor),
            momentum: optimization.optimizer == .sgd && optimization.momentum == 0
                ? nil
                : isRising
                    ? between(momentum.upperBound, momentum.lowerBound)
                    : between(momentum.lowerBound, momentum.upperBound))
    }
}
