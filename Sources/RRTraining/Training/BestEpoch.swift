internal import RRSchemas

/// A figure of the validation that epochs are compared by.
public enum ValidationMetric: String, CaseIterable, Codable, Sendable {
    case accuracy
    case crossEntropy = "cross-entropy"
    /// The accuracy of the class that is recognised worst.
    case worstClass = "worst-class"
    /// The accuracy of the group that is recognised worst.
    case worstGroup = "worst-group"

    func value(_ evaluation: Evaluation) -> Double {
        switch self {
        case .accuracy: evaluation.accuracy
        case .crossEntropy: evaluation.crossEntropy
        case .worstClass: evaluation.worstClass?.accuracy ?? 0
        case .worstGroup: evaluation.worstGroup?.accuracy ?? 0
        }
    }

    func value(_ validation: RunMetrics.Validation) -> Double {
        switch self {
        case .accuracy: validation.accuracy
        case .crossEntropy: validation.crossEntropy
        case .worstClass: validation.worstClassAccuracy ?? 0
        case .worstGroup: validation.worstGroupAccuracy ?? 0
        }
    }

    func isBetter(_ value: Double, than other: Double) -> Bool {
        self == .crossEntropy ? value < other : value > other
    }
}

/// The epoch with the best validation figures so far, the first of equal ones.
public struct BestEpoch: Equatable, Sendable {
    /// From 0.
    public let epoch: Int
    /// The figure of the metric.
    public let value: Double
}

/// Watches the validation for the best epoch, and for too many without a better one.
struct BestWatch: Equatable, Sendable {
    private(set) var best: BestEpoch?
    /// The epochs since the best.
    private(set) var epochsWithout = 0

    /// Takes the figure of an epoch.
    ///
    /// - Returns: whether it is the best so far.
    mutating func add(_ value: Double, epoch: Int, metric: ValidationMetric) -> Bool {
        if let best, !metric.isBetter(value, than: best.value) {
            epochsWithout += 1
            return false
        }
        best = BestEpoch(epoch: epoch, value: value)
        epochsWithout = 0
        return true
    }
}

extension BestWatch {
    /// What the epochs of a run have shown.
    init(_ metrics: RunMetrics, by metric: ValidationMetric) {
        for epoch in metrics.epochs {
            guard let value = epoch.validation.map(metric.value) else { continue }
            _ = add(value, epoch: epoch.epoch, metric: metric)
        }
    }

    init?(_ state: JSONValue) {
        guard let best = state["best"], let count = state["epochs_since_best"]?.integerValue,
            0...RunPosition.largestCount ~= count
        else { return nil }
        if best != .null {
            guard let epoch = best["epoch"]?.integerValue, 0...RunPosition.largestCount ~= epoch,
                let value = best["value"]?.doubleValue
            else { return nil }
            self.best = BestEpoch(epoch: epoch, value: value)
        }
        epochsWithout = count
    }
}
