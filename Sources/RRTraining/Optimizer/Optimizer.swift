import Glibc
internal import RRNetworks
internal import RRTensor

/// An optimiser with its memory of past gradients.
///
/// Every parameter is updated by itself, so threads share the work without an effect on the result. What the
/// layout stores but does not train stays as it is, under weight decay too.
struct Optimizer<Scalar: NetworkScalar> {
    let options: OptimizationOptions
    private let workers: Workers
    /// The momentum of `sgd`, the first moment of `adam`.
    private(set) var first: [Scalar]
    /// The second moment of `adam`.
    private(set) var second: [Scalar]
    private var stepCount = 0
    private let groups: [TrainedGroup]
    /// The parameters that are trained, in pieces for the threads, with the number of their group.
    private let blocks: [(range: Range<Int>, group: Int)]

    /// - Parameter groups: the parameters that are moved.
    init(
        _ options: OptimizationOptions, layout: ParameterLayout, groups: [TrainedGroup], workers: Workers
    ) {
        self.options = options
        self.groups = groups
        let parameterCount = layout.count
        let blockSize = 1 << 14
        blocks = groups.enumerated().flatMap { number, group in
            group.ranges.flatMap { range in
                stride(from: range.lowerBound, to: range.upperBound, by: blockSize).map {
                    ($0..<min($0 + blockSize, range.upperBound), number)
                }
            }
        }
        self.workers = workers
        let hasMoments = options.optimizer != .sgd
        first = Array(repeating: 0, count: hasMoments || options.momentum > 0 ? parameterCount : 0)
        second = Array(repeating: 0, count: hasMoments ? parameterCount : 0)
    }

    /// Goes on from where another optimiser of the same options was.
    mutating func restore(first: [Scalar], second: [Scalar], stepCount: Int) {
        self.first = first
        self.second = second
        self.stepCount = stepCount
    }

    /// Moves the parameters one step against their gradient.
    ///
    /// - Parameter rates: the learning rate of the step, and its momentum, for each group.
    mutating func step(
        _ parameters: inout [Scalar], gradient: [Scalar], rates: [LearningRateSchedule.Rates]
    ) {
        // A group counts its own steps, as PyTorch's optimisers count those of each parameter.
        let options = options
        let updates = zip(groups, rates).map { [stepCount] group, rates in
            stepCount < group.firstStep
                ? nil : ParameterUpdate<Scalar>(options, rates, step: stepCount - group.firstStep + 1)
        }
        stepCount += 1
        let kind = options.optimizer
        let hasMomentum = options.momentum > 0
        let blocks = blocks
        parameters.withUnsafeMutableBufferPointer { parameters in
            gradient.withUnsafeBufferPointer { gradient in
                first.withUnsafeMutableBufferPointer { first in
                    second.withUnsafeMutableBufferPointer { second in
                        let memory = UncheckedSendable((parameters, gradient, first, second))
                        workers.run(parts: blocks.count) { _, block in
                            let (parameters, gradient, first, second) = memory.value
                            let (range, group) = blocks[block]
                            guard let update = updates[group] else { return }
                            if kind != .sgd {
                                update.adam(parameters, gradient, first, second, range)
                            } else if hasMomentum {
                                update.momentum(parameters, gradient, first, range)
                            } else {
                                update.descent(parameters, gradient, range)
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Parameters that follow one learning rate from one step on.
struct TrainedGroup: Hashable, Sendable {
    let ranges: [Range<Int>]
    /// Whether they are the head's, which may have a rate of its own.
    let isHead: Bool
    /// The steps that are taken before they are moved.
    let firstStep: Int

    /// Parts a network's parameters.
    ///
    /// - Parameter stepsPerEpoch: by which the epochs count until frozen layers are trained too.
    static func groups(
        of layout: ParameterLayout, _ options: OptimizationOptions, stepsPerEpoch: Int
    ) -> [TrainedGroup] {
        let early = layout.trainedRanges(except: options.frozenLayers)
        var parts = [(early, 0)]
        if let epochs = options.frozenEpochs {
            let (step, overflow) = epochs.multipliedReportingOverflow(by: stepsPerEpoch)
            parts.append((subtract(early, from: layout.trainedRanges()), overflow ? .max : step))
        }
        return parts.flatMap { ranges, firstStep in
            guard options.headLearningRate != nil else {
                return [TrainedGroup(ranges: ranges, isHead: false, firstStep: firstStep)]
            }
            let backbone = ranges.map { $0.clamped(to: 0..<layout.head.lowerBound) }
            let head = ranges.map { $0.clamped(to: layout.head) }
            return [
                TrainedGroup(ranges: backbone.filter { !$0.isEmpty }, isHead: false, firstStep: firstStep),
                TrainedGroup(ranges: head.filter { !$0.isEmpty }, isHead: true, firstStep: firstStep),
            ]
        }.filter { !$0.ranges.isEmpty }
    }

    /// What is left of ranges without others that lie within them, both in order.
    private static func subtract(_ others: [Range<Int>], from ranges: [Range<Int>]) -> [Range<Int>] {
        ranges.flatMap { range in
            var start = range.lowerBound
            var left: [Range<Int>] = []
            for other in others where range.contains(other.lowerBound) {
                if start < other.lowerBound { left.append(start..<other.lowerBound) }
                start = other.upperBound
            }
            if start < range.upperBound { left.append(start..<range.upperBound) }
            return left
        }
    }
}

/// The constants of one step and the loops over parameters, each as PyTorch's `torch.optim` defines it.
private struct ParameterUpdate<Scalar: NetworkScalar>: Sendable {
    private let learningRate: Scalar
    private let momentum: Scalar
    private let isNesterov: Bool
    /// Added to the gradient times the parameter.
    private let decay: Scalar
    /// Multiplies the parameter before the step.
    private let shrinkage: Scalar
    private let isFirst: Bool
    private let firstRate: Scalar
    private let secondDecay: Scalar
    private let secondRate: Scalar
    private let stepSize: Scalar
    private let secondCorrection: Scalar
    private let epsilon: Scalar

    init(_ options: OptimizationOptions, _ rates: LearningRateSchedule.Rates, step: Int) {
        let isDecoupled = options.optimizer == .adamw
        learningRate = Scalar(rates.learningRate)
        momentum = Scalar(rates.momentum ?? options.momentum)
        isNesterov = options.isNesterov
        decay = Scalar(isDecoupled ? 0 : options.weightDecay)
        shrinkage = Scalar(isDecoupled ? 1 - rates.learningRate * options.weightDecay : 1)
        isFirst = step == 1
        let firstDecay = rates.momentum ?? OptimizationOptions.firstDecay
        firstRate = Scalar(1 - firstDecay)
        secondDecay = Scalar(OptimizationOptions.secondDecay)
        secondRate = Scalar(1 - OptimizationOptions.secondDecay)
        stepSize = Scalar(rates.learningRate / (1 - pow(firstDecay, Double(step))))
        secondCorrection = Scalar((1 - pow(OptimizationOptions.secondDecay, Double(step))).squareRoot())
        epsilon = Scalar(OptimizationOptions.epsilon)
    }

    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    func descent(
        _ parameters: UnsafeMutableBufferPointer<Scalar>, _ gradient: UnsafeBufferPointer<Scalar>,
        _ range: Range<Int>
    ) {
        for index in range {
            parameters[index] -= learningRate * (gradient[index] + decay * parameters[index])
        }
    }

    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    func momentum(
        _ parameters: UnsafeMutableBufferPointer<Scalar>, _ gradient: UnsafeBufferPointer<Scalar>,
        _ velocity: UnsafeMutableBufferPointer<Scalar>, _ range: Range<Int>
    ) {
        for index in range {
            let direction = gradient[index] + decay * parameters[index]
            velocity[index] = isFirst ? direction : momentum * velocity[index] + direction
            let move = isNesterov ? direction + momentum * velocity[index] : velocity[index]
            parameters[index] -= learningRate * move
        }
    }

    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    func adam(
        _ parameters: UnsafeMutableBufferPointer<Scalar>, _ gradient: UnsafeBufferPointer<Scalar>,
        _ first: UnsafeMutableBufferPointer<Scalar>, _ second: UnsafeMutableBufferPointer<Scalar>,
        _ range: Range<Int>
    ) {
        for index in range {
            let parameter = parameters[index] * shrinkage
            let direction = gradient[index] + decay * parameter
            let mean = first[index] + firstRate * (direction - first[index])
            let square = secondDecay * second[index] + secondRate * direction * direction
            first[index] = mean
            second[index] = square
            parameters[index] =
                parameter - stepSize * mean / (square.squareRoot() / secondCorrection + epsilon)
        }
    }
}
