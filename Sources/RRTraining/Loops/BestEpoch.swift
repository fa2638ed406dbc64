internal import RRSchemas

/// A figure of the validation that epochs are compared by.
public enum ValidationMetric: String, CaseIterable, Codable, Sendable {
    case accuracy
    case crossEntropy = "cross-entropy"
    /// The accuracy of the class that is recognised worst.
    case worstClass = "worst-class"

    func value(_ evaluation: Evaluation) -> Double {
        switch self {
        case .accuracy: evaluation.accuracy
        case .crossEntropy: evaluation.crossEntropy
        case .worstClass: evaluation.worstClass?.accuracy ?? 0
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

extension RunPosition {
    /// The document of a checkpoint.
    func json(step: Int) -> JSONValue {
        [
            "format": .string(CheckpointFile.format), "format_version": .string(CheckpointFile.version),
            "step": .integer(step), "epoch": .integer(epoch), "batch": .integer(batch),
            "epoch_so_far": record.state, "metrics_bytes": .integer(metricsSize),
            "curves_bytes": .integer(curvesSize),
            "seconds": .number(seconds),
            "best": watch.best.map { ["epoch": .integer($0.epoch), "value": .number($0.value)] } ?? .null,
            "epochs_since_best": .integer(watch.epochsWithout),
        ]
    }

    /// Reads the document of a checkpoint; nil where a field is missing or cannot be.
    init?(_ state: JSONValue) {
        guard let epoch = state["epoch"]?.integerValue, let batch = state["batch"]?.integerValue,
            let record = state["epoch_so_far"].flatMap(EpochRecord.init(state:)),
            let metricsSize = state["metrics_bytes"]?.integerValue,
            let curvesSize = state["curves_bytes"]?.integerValue, curvesSize >= 0,
            let seconds = state["seconds"]?.doubleValue, let watch = BestWatch(state), epoch >= 0, batch >= 0,
            metricsSize >= 0
        else { return nil }
        self.epoch = epoch
        self.batch = batch
        self.record = record
        self.watch = watch
        self.metricsSize = metricsSize
        self.curvesSize = curvesSize
        self.seconds = seconds
    }
}

extension BestWatch {
    fileprivate init?(_ state: JSONValue) {
        guard let best = state["best"], let count = state["epochs_since_best"]?.integerValue else {
            return nil
        }
        if best != .null {
            guard let epoch = best["epoch"]?.integerValue, let value = best["value"]?.doubleValue else {
                return nil
            }
            self.best = BestEpoch(epoch: epoch, value: value)
        }
        epochsWithout = count
    }
}
