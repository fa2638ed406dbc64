internal import RRSchemas

/// Where a run is, beside its numbers.
struct RunPosition: Equatable, Sendable {
    /// The epoch of the next batch, and its number within it.
    var epoch = 0
    var batch = 0
    /// The steps of the epoch so far.
    var record = EpochRecord()
    var watch = BestWatch()
    /// The bytes of `metrics.jsonl` so far.
    var metricsSize = 0
    /// Those of `metrics.csv`.
    var curvesSize = 0
    /// The wall time so far, in seconds.
    var seconds = 0.0

    /// More of anything than a run can count: what a checkpoint says beyond it is not true.
    static let largestCount = 1 << 48
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
            let seconds = state["seconds"]?.doubleValue, let watch = BestWatch(state), metricsSize >= 0,
            0...1e12 ~= seconds, [epoch, batch].allSatisfy({ 0...Self.largestCount ~= $0 })
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
