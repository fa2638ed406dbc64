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

    /// - Parameter groups: the parameters that are moved.
    init(
        _ options: OptimizationOptions, layout: ParameterLayout, groups: [TrainedGroup], workers: Workers
    ) {
        self.options = options
        self.groups = groups
        self.workers = workers
        let hasMoments = options.optimizer != .sgd
        first = Array(repeating: 0, count: hasMoments || options.momentum > 0 ? layout.count : 0)
        second = Array(repeating: 0, count: hasMoments ? layout.count : 0)
    }

    /// Goes on from where another optimiser of the same options was.
    mutating func restore(first: [Scalar], second: [Scalar], stepCount: Int) {
        self.first = first
        self.second = second
        self.stepCount = stepCount
    }

    /// Moves the parameters one step against their gradient, a piece of it after the other.
    ///
    /// - Parameters:
    ///   - rates: the learning rate of the step, and its momentum, for each group.
    ///   - gradient: is to call what it is given for each piece, with the range of its parameters and the gradient of the first.
    mutating func step(
        _ parameters: inout [Scalar], rates: [LearningRateSchedule.Rates],
        gradient: ((Range<Int>, UnsafeMutablePointer<Scalar>) -> Void) -> Void
    ) {
        // A group counts its own steps, as PyTorch's optimisers count those of each parameter.
        let (options, groups, workers) = (options, groups, workers)
        let updates = zip(groups, rates).map { [stepCount] group, rates in
            stepCount < group.firstStep
                ? nil : ParameterUpdate<Scalar>(options, rates, step: stepCount - group.firstStep + 1)
        }
        stepCount += 1
        parameters.withUnsafeMutableBufferPointer { parameters in
            first.withUnsafeMutableBufferPointer { first in
                second.withUnsafeMutableBufferPointer { second in
                    let memory = UncheckedSendable((parameters, first, second))
                    gradient { piece, gradient in
                        let blocks = Self.blocks(of: groups, in: piece)
                        let gradient = UncheckedSendable(gradient)
                        workers.run(parts: blocks.count) { _, block in
                            let (parameters, first, second) = memory.value
                            let (range, group) = blocks[block]
                            updates[group]?.move(
                                parameters, against: gradient.value + (range.lowerBound - piece.lowerBound),
                                first, second, range)
                        }
                    }
                }
            }
        }
    }

    /// The parameters of a piece that are trained, in blocks for the threads, with the number of their group.
    private static func blocks(
        of groups: [TrainedGroup], in piece: Range<Int>
    ) -> [(range: Range<Int>, group: Int)] {
        let blockSize = 1 << 14
        return groups.enumerated().flatMap { number, group in
            group.ranges.flatMap { range in
                let range = range.clamped(to: piece)
                return stride(from: range.lowerBound, to: range.upperBound, by: blockSize).map {
                    ($0..<min($0 + blockSize, range.upperBound), number)
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
    private let kind: OptimizationOptions.Optimizer
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
        kind = options.optimizer
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

    /// Moves a range of the parameters.
    ///
    /// - Parameters:
    ///   - gradient: begins with that of the range's first.
    ///   - first: the velocity of momentum, the first moment of Adam; empty without.
    ///   - second: the second moment of Adam; empty without.
    func move(
        _ parameters: UnsafeMutableBufferPointer<Scalar>, against gradient: UnsafePointer<Scalar>,
        _ first: UnsafeMutableBufferPointer<Scalar>, _ second: UnsafeMutableBufferPointer<Scalar>,
        _ range: Range<Int>
    ) {
        if kind != .sgd {
            adam(parameters, gradient, first, second, range)
        } else if first.isEmpty {
            descent(parameters, gradient, range)
        } else {
            momentum(parameters, gradient, first, range)
        }
    }

    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    private func descent(
        _ parameters: UnsafeMutableBufferPointer<Scalar>, _ gradient: UnsafePointer<Scalar>,
        _ range: Range<Int>
    ) {
        for index in range {
            let direction = gradient[index &- range.lowerBound] + decay * parameters[index]
            parameters[index] -= learningRate * direction
        }
    }

    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    private func momentum(
        _ parameters: UnsafeMutableBufferPointer<Scalar>, _ gradient: UnsafePointer<Scalar>,
        _ velocity: UnsafeMutableBufferPointer<Scalar>, _ range: Range<Int>
    ) {
        for index in range {
            let direction = gradient[index &- range.lowerBound] + decay * parameters[index]
            velocity[index] = isFirst ? direction : momentum * velocity[index] + direction
            let move = isNesterov ? direction + momentum * velocity[index] : velocity[index]
            parameters[index] -= learningRate * move
        }
    }

    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    private func adam(
        _ parameters: UnsafeMutableBufferPointer<Scalar>, _ gradient: UnsafePointer<Scalar>,
        _ first: UnsafeMutableBufferPointer<Scalar>, _ second: UnsafeMutableBufferPointer<Scalar>,
        _ range: Range<Int>
    ) {
        for index in range {
            let parameter = parameters[index] * shrinkage
            let direction = gradient[index &- range.lowerBound] + decay * parameter
            let mean = first[index] + firstRate * (direction - first[index])
            let square = secondDecay * second[index] + secondRate * direction * direction
            first[index] = mean
            second[index] = square
            parameters[index] =
                parameter - stepSize * mean / (square.squareRoot() / secondCorrection + epsilon)
        }
    }
}
