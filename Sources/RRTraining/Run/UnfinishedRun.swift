internal import RRFormats
internal import RRNetworks
internal import RRSchemas

/// The folder of a run that was stopped before its end, or in its last moment.
public struct UnfinishedRun {
    /// `RUN.unfinished`, or the run itself.
    let path: String
    let configuration: JSONValue

    /// Where the run for an output stays until it is done: `RUN.unfinished`, beside the output.
    public static func path(of output: String) -> String {
        var target = Substring(output)
        while target.count > 1, target.last == "/" { target.removeLast() }
        return target + ".unfinished"
    }

    /// The number of steps in the checkpoint of an unfinished run; nil where there is none.
    public static func stepCount(of output: String) -> Int? {
        let state = path(of: output) + "/" + RunFile.checkpoint + "/" + CheckpointFile.state
        return try? CheckpointFile.read(state).step
    }

    /// Whether there is a checkpoint in the folder of a run, to go on from.
    static func canBeResumed(_ path: String) -> Bool {
        FileTree.kind(of: path + "/" + RunFile.checkpoint + "/" + CheckpointFile.state) != nil
    }

    /// Finds the unfinished run for an output; nil where there is none.
    ///
    /// One that was stopped in its last moment has its name and its checkpoint still: nobody was told that it is done, and
    /// its last steps are taken again.
    ///
    /// - Throws: `FormatError` where its files are not what they should be.
    init?(of output: String) throws(FormatError) {
        AtomicOutput.removeLeftovers(in: FileTree.folder(of: output))
        guard let path = Self.path(inUseFor: output) else { return nil }
        self.path = path
        configuration = try Run.configuration(of: path)
    }

    /// Takes the run at an output that is done, so that what is wanted can be compared with it; nil where there is none, or
    /// something to go on with.
    ///
    /// - Throws: `FormatError` where its files are not what they should be.
    init?(done output: String) throws(FormatError) {
        guard Self.path(inUseFor: output) == nil, Run.isRun(output) else { return nil }
        AtomicOutput.removeLeftovers(in: FileTree.folder(of: output))
        Self.removeSpentCheckpoint(of: output)
        path = output
        configuration = try Run.configuration(of: output)
    }

    /// Removes what a cut of the power has left of the checkpoint of a run that is done: it may take back that the folder lost
    /// its name, and not that its files were deleted.
    static func removeSpentCheckpoint(of output: String) {
        guard Run.isRun(output), !canBeResumed(output) else { return }
        AtomicOutput.discard(output + "/" + RunFile.checkpoint, beside: output)
    }

    /// Gives training options the network of a run that goes on, or is done, where the file that it came from with its weights
    /// is no longer there: what a run needs it has in itself.
    ///
    /// - Parameters:
    ///   - options: the options, whose network is replaced.
    ///   - file: the file, as the run was given it.
    ///   - output: the run.
    /// - Returns: false where there is no such run.
    /// - Throws: `FormatError` where its files are not what they should be.
    package static func complete(
        _ options: inout TrainingOptions, startedFrom file: String, output: String
    ) throws -> Bool {
        let done = Run.isRun(output) ? output : nil
        guard let path = path(inUseFor: output) ?? done else { return false }
        let record = try Run.configuration(of: path)["options"]
        guard record?["init"]?.stringValue == file, let hash = record?["init_sha256"]?.stringValue else {
            return false
        }
        options.model = try ModelFile.read(path + "/" + RunFile.model)
        options.initialWeights = file
        options.initialHash = hash
        // Those of the checkpoint take their place.
        let network = try Network<Float>(options.model)
        options.initialTensors = WeightsFile.tensors(network.layerParameters(seed: 0))
        return true
    }

    /// The epochs that the run was asked for; nil where it does not say.
    var epochs: Int? { configuration["options"]?["epochs"]?.integerValue }

    private static func path(inUseFor output: String) -> String? {
        [path(of: output), output].first { canBeResumed($0) }
    }

    /// Reads the checkpoint.
    ///
    /// - Throws: `FormatError` where a file is missing or is not what its name says.
    func checkpoint<Scalar: NetworkScalar>(
        layout: ParameterLayout, as _: Scalar.Type
    ) throws -> Checkpoint<Scalar> {
        try Checkpoint(from: path + "/" + RunFile.checkpoint, layout: layout)
    }

    /// Checks that a run with this configuration would be the same run.
    ///
    /// - Parameters:
    ///   - goesOn: whether steps are to come, which only the same matrix kernels take to the same last bit.
    ///   - changed: recorded options that may be others.
    /// - Throws: `TrainingError` naming the option, the dataset or the masks that differ.
    func check(
        _ wanted: JSONValue, model: ModelDescription, datasetPath: String, goesOn: Bool = true,
        except changed: Set<String> = []
    ) throws {
        func refusal(_ option: OptionName, _ before: JSONValue?, _ now: JSONValue?) -> TrainingError {
            TrainingError(
                .invalidOption, .option(option),
                "is \(now?.serialized() ?? "none"), but the run in \(path) was started with "
                    + "\(before?.serialized() ?? "none"): give the same, or start anew with \(option: .force)"
            )
        }
        if configuration["dataset_fingerprint"] != wanted["dataset_fingerprint"] {
            throw TrainingError(
                .unsuitableDataset, .file(datasetPath),
                "is not the dataset that the run in \(path) was started with: their fingerprints differ")
        }
        // A run of an earlier release does not say what its classes are called.
        if let names = configuration["class_names"], names != wanted["class_names"] {
            throw TrainingError(
                .unsuitableDataset, .file(datasetPath),
                "has classes of other names than the dataset that the run in \(path) was started with")
        }
        if configuration["masks"] != wanted["masks"] {
            throw TrainingError(
                .unsuitableDataset, .option(.masks),
                "are not those that the run in \(path) was started with: give the same, or start anew with \(option: .force)"
            )
        }
        if try JSONValue(parsing: FileBytes.read(path + "/" + RunFile.model))
            != JSONValue(parsing: ModelFile.bytes(of: model))
        {
            throw TrainingError(
                .invalidOption, .option(.model),
                "is not the model that the run in \(path) was started with: give the same, or start anew with \(option: .force)"
            )
        }
        let before = configuration["options"]?.objectValue ?? [:]
        let now = wanted["options"]?.objectValue ?? [:]
        // Files may have moved; what they hold is compared.
        let names = Set(before.keys).union(now.keys).subtracting(["init", "validation_file"]).subtracting(
            changed)
        for key in names.sorted() where before[key] != now[key] {
            throw refusal(OptionName(recordedAs: key), before[key], now[key])
        }
        guard goesOn else { return }
        try RunConfiguration.checkKernel(wanted.objectValue ?? [:], startedWith: configuration)
    }
}
