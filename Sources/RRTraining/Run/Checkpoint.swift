internal import RRFormats
internal import RRNetworks
internal import RRSchemas

/// All that an unfinished run needs to go on as if it had never stopped, beside its options, dataset and masks.
///
/// On disk it is the folder `checkpoint/` of the run: `weights-STEP.safetensors`, which `TrainingOptions.initialWeights` takes too,
/// `optimizer-STEP.safetensors` with the optimiser's memory (`first.0.weight`, `second.0.weight`, …), and
/// `state.json`, which names them. The tensors come first, and once they are on the disk `state.json` takes the place of the
/// older one, so that at every moment one of the two checkpoints is whole.
struct Checkpoint<Scalar: NetworkScalar> {
    var trainer: Trainer<Scalar>.State
    var progress: RunPosition
}

extension Checkpoint {
    /// Writes the checkpoint into a folder of checkpoints, and deletes the older one.
    ///
    /// - Throws: `FormatError` with the code `cannotWrite`; the older checkpoint is then as it was.
    func write(to folder: String) throws(FormatError) {
        _ = try FileTree.makeFolder(folder)
        let names = CheckpointFile.names(step: trainer.stepCount)
        do {
            try WeightsFile.write(trainer.parameters, to: folder + "/" + names.weights)
            try SafeTensorsFile.write(optimizerTensors, to: folder + "/" + names.optimizer)
            for name in [names.weights, names.optimizer] { try Durability.sync(folder + "/" + name) }
            try RunDocument.replace(
                folder + "/" + CheckpointFile.state, with: progress.json(of: trainer))
        } catch {
            CheckpointFile.clean(folder)
            throw error
        }
        CheckpointFile.clean(folder)
    }

    /// The optimiser's memory: `first.0.weight`, `second.0.weight`, ….
    var optimizerTensors: [SafeTensor] {
        [("first.", trainer.first), ("second.", trainer.second)].flatMap { prefix, values in
            values.isEmpty
                ? []
                : WeightsFile.tensors(
                    Parameters(layout: trainer.parameters.layout, values: values), prefix: prefix)
        }
    }

    /// Reads the checkpoint of a folder.
    ///
    /// - Throws: `FormatError` where a file is missing or is not what its name says.
    init(from folder: String, layout: ParameterLayout) throws {
        let path = folder + "/" + CheckpointFile.state
        let (state, step) = try CheckpointFile.read(path)
        guard let progress = RunPosition(state) else {
            throw FormatError(
                .malformed, path: path, "is not the state.json of a checkpoint: a field is missing")
        }
        let names = CheckpointFile.names(step: step)
        let optimizerPath = folder + "/" + names.optimizer
        let tensors = try SafeTensorsFile.read(optimizerPath)
        func moments(_ prefix: String) throws -> [Scalar] {
            let named = tensors.filter { $0.name.hasPrefix(prefix) }
            guard !named.isEmpty else { return [] }
            return try WeightsFile.read(
                optimizerPath, tensors: named, droppingPrefix: prefix, layout: layout, as: Scalar.self
            ).values
        }
        trainer = Trainer<Scalar>.State(
            parameters: try WeightsFile.read(
                folder + "/" + names.weights, layout: layout, as: Scalar.self),
            first: try moments("first."), second: try moments("second."), stepCount: step,
            groupWeights: (state["group_weights"]?.arrayValue ?? []).compactMap(\.doubleValue))
        self.progress = progress
    }
}

/// The files of a folder of checkpoints.
enum CheckpointFile {
    static let state = "state.json"
    static let format = "rrdata.checkpoint"
    static let version = "1.0"

    static func names(step: Int) -> (weights: String, optimizer: String) {
        ("weights-\(step).safetensors", "optimizer-\(step).safetensors")
    }

    /// Reads a `state.json` and the number of steps taken.
    ///
    /// - Throws: `FormatError`.
    static func read(_ path: String) throws(FormatError) -> (state: JSONValue, step: Int) {
        let state = try RunDocument.read(
            path, format: format, role: "state.json of a checkpoint", maximumSize: 1 << 24)
        guard let step = state["step"]?.integerValue, step >= 0 else {
            throw FormatError(.malformed, path: path, "has no “step” of at least 0")
        }
        return (state, step)
    }

    /// Deletes what the folder's `state.json` does not name: older checkpoints, and one that was not finished.
    static func clean(_ folder: String) {
        let path = folder + "/" + state
        let names = (try? read(path).step).map(names(step:))
        // What cannot be read now may be read later.
        guard names != nil || FileTree.kind(of: path) == nil else { return }
        FileTree.clear(folder, keeping: Set([state, names?.weights, names?.optimizer].compactMap { $0 }))
    }
}

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
    func json<Scalar>(of trainer: Trainer<Scalar>.State) -> JSONValue {
        var members: [String: JSONValue] = [
            "format": .string(CheckpointFile.format), "format_version": .string(CheckpointFile.version),
            "step": .integer(trainer.stepCount), "epoch": .integer(epoch), "batch": .integer(batch),
            "epoch_so_far": record.state, "metrics_bytes": .integer(metricsSize),
            "curves_bytes": .integer(curvesSize),
            "seconds": .number(seconds),
            "best": watch.best.map { ["epoch": .integer($0.epoch), "value": .number($0.value)] } ?? .null,
            "epochs_since_best": .integer(watch.epochsWithout),
        ]
        if !trainer.groupWeights.isEmpty {
            members["group_weights"] = .array(trainer.groupWeights.map { .number($0) })
        }
        return .object(members)
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
