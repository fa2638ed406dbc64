internal import Glibc

/// What the groups of samples weigh in the cross-entropy, where they do not weigh what their samples do.
public enum GroupWeighting: Hashable, Sendable {
    /// One weight a group: CE = Σ_n w_g(n) CE_n / Σ_n w_g(n), over the samples n of the batch.
    case fixed([Double])
    /// CE = Σ_g q_g CE_g with CE_g the mean of a group's samples in the batch, 0 where it has none; before each step
    /// q_g ← q_g exp(η CE_g) / Σ, from q_g = 1 / G on, so that the groups with the largest losses come to count most.
    ///
    /// Source: Sagawa, Koh, Hashimoto and Liang, "Distributionally robust neural networks for group shifts" (ICLR 2020),
    /// algorithm 1.
    case robust(GroupRobustness)
}

/// The step size and the weights of distributionally robust optimisation over groups.
public struct GroupRobustness: Hashable, Sendable {
    /// η, above 0.
    public let stepSize: Double
    /// q of each group; they add up to 1.
    public package(set) var weights: [Double]

    /// - Parameters:
    ///   - groupCount: G, at least 1.
    ///   - stepSize: η; published work takes 0.01.
    public init(groupCount: Int, stepSize: Double) {
        self.stepSize = stepSize
        weights = Array(repeating: 1 / Double(groupCount), count: groupCount)
    }

    /// Takes the losses of the groups in a batch.
    mutating func update(losses: [Double]) {
        // Less the largest, so that no exponential overflows: the quotient is the same.
        let largest = losses.max() ?? 0
        for group in weights.indices { weights[group] *= exp(stepSize * (losses[group] - largest)) }
        let sum = weights.reduce(0, +)
        for group in weights.indices { weights[group] /= sum }
    }
}

extension GroupWeighting {
    /// What each sample of a batch weighs: the factors of CE_n in the sum.
    ///
    /// - Parameters:
    ///   - groups: of each sample.
    ///   - losses: gives CE_n of each sample; it is asked where the weights depend on it.
    /// - Throws: what `losses` throws.
    mutating func sampleWeights<Failure: Error>(
        _ groups: [Int], losses: () throws(Failure) -> [Double]
    ) throws(Failure) -> [Double] {
        switch self {
        case .fixed(let weights):
            let sum = groups.reduce(0) { $0 + weights[$1] }
            return groups.map { sum > 0 ? weights[$0] / sum : 0 }
        case .robust(var robustness):
            var counts = robustness.weights.map { _ in 0.0 }
            for group in groups { counts[group] += 1 }
            var means = counts.map { _ in 0.0 }
            for (group, loss) in zip(groups, try losses()) { means[group] += loss / counts[group] }
            robustness.update(losses: means)
            self = .robust(robustness)
            return groups.map { robustness.weights[$0] / counts[$0] }
        }
    }

    /// What changes from batch to batch; nil where nothing does.
    package var robustness: GroupRobustness? {
        if case .robust(let robustness) = self { robustness } else { nil }
    }

    /// Goes on with the weights q of robust groups.
    package mutating func restore(_ weights: [Double]) {
        guard case .robust(var robustness) = self else { return }
        robustness.weights = weights
        self = .robust(robustness)
    }

    /// The number of groups.
    var count: Int {
        switch self {
        case .fixed(let weights): weights.count
        case .robust(let robustness): robustness.weights.count
        }
    }
}
