internal import RRFormats
internal import RRNetworks
internal import RRSchemas

/// What a run that is done keeps so that it can be made longer: what a checkpoint has, beside the weights.
///
/// It is the folder `continuation/` of the run, with `optimizer.safetensors`, `state.json` and their sums, as large as the optimiser's
/// memory. The run is whole without it.
enum RunContinuation {
    private static let optimizer = "optimizer.safetensors"

    /// Writes the folder into that of a run.
    ///
    /// - Throws: `FormatError` with the code `cannotWrite`.
    static func write<Scalar: NetworkScalar>(
        _ trainer: Trainer<Scalar>.State, at position: RunPosition, in run: String
    ) throws(FormatError) {
        let folder = run + "/" + RunFile.continuation
        // Of a run that was stopped in its last moment there is one already.
        FileTree.remove(folder)
        _ = try FileTree.makeFolder(folder)
        try SafeTensorsFile.write(
            Checkpoint(trainer: trainer, progress: position).optimizerTensors, to: folder + "/" + optimizer)
        try FileBytes.write(
            Array((position.json(of: trainer).serialized(pretty: true) + "\n").utf8),
            to: folder + "/" + CheckpointFile.state)
        try RunChecksums.write(of: [optimizer, CheckpointFile.state], in: folder)
    }

    /// Makes `RUN.unfinished` of a run that is done, which goes on where that one ended and takes its place when it is done
    /// itself.
    ///
    /// - Parameters:
    ///   - output: the run, whose files are as it wrote them.
    ///   - configuration: the `config.json` of the longer run.
    /// - Throws: `FormatError`: with the code `unsupported` where the run kept nothing to go on with.
    static func begin(_ output: String, configuration: JSONValue) throws(FormatError) {
        let kept = output + "/" + RunFile.continuation
        guard FileTree.kind(of: kept + "/" + CheckpointFile.state) != nil else {
            throw FormatError(
                .unsupported, path: output,
                "has no “\(RunFile.continuation)” to go on with, the optimiser's memory: train anew with \(option: .force), or "
                    + "begin another run with its weights, \(option: .initialWeights) \(output)/\(RunFile.weights)"
            )
        }
        if let changed = try RunChecksums.changedFiles(in: kept).first {
            throw FormatError(
                .malformed, path: kept + "/" + changed,
                "is not what the run wrote when it was done; \(option: .force) trains it anew")
        }
        let (_, step) = try CheckpointFile.read(kept + "/" + CheckpointFile.state)
        let folder = try RunWriter.emptyFolder(for: output)
        // Its metrics come first and what it can be resumed by last: a process that is killed between leaves nothing that
        // would be taken for more than it is.
        for name in [RunFile.metrics, RunFile.curves, RunFile.best, RunFile.model] {
            try copy(output + "/" + name, to: folder.path + "/" + name)
        }
        try RunDocument.replace(folder.path + "/" + RunFile.configuration, with: configuration)
        let checkpoint = folder.path + "/" + RunFile.checkpoint
        _ = try FileTree.makeFolder(checkpoint)
        let names = CheckpointFile.names(step: step)
        try copy(output + "/" + RunFile.weights, to: checkpoint + "/" + names.weights)
        try copy(kept + "/" + optimizer, to: checkpoint + "/" + names.optimizer)
        try copy(kept + "/" + CheckpointFile.state, to: checkpoint + "/" + CheckpointFile.state)
        try folder.keep()
    }

    /// Whether the unfinished run for an output is that output made longer, whose place it is to take.
    static func isContinued(_ output: String) -> Bool {
        guard Run.isRun(output),
            let before = try? FileBytes.read(output + "/" + RunFile.metrics),
            let now = try? FileBytes.read(
                UnfinishedRun.path(of: output) + "/" + RunFile.metrics, prefix: before.count)
        else { return false }
        // With the time of every step, no two runs have the same.
        return !before.isEmpty && before == now
    }

    private static func copy(_ path: String, to target: String) throws(FormatError) {
        guard FileTree.kind(of: path) != nil else { return }
        try FileBytes.write(FileBytes.read(path), to: target)
        try Durability.sync(target)
    }
}
