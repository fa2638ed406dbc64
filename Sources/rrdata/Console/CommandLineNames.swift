import RRFormats

extension Message {
    /// The message for a terminal, which obeys nothing in it.
    var terminalText: String { commandLineText.escaped(keepingLines: true) }

    /// The message as those know it who use the command line: `--layout`, `rrdata import hdf5`.
    var commandLineText: String {
        text { part in
            switch part {
            case .text(let text): text
            case .option(let option): option.flag
            case .operation(let operation): operation.command
            }
        }
    }
}

extension OptionName {
    /// Options that the command line does not name by their words.
    private static let flags: [String: String] = [
        "AdversaryOptions.radius": "pgd-radius",
        "AdversaryOptions.stepCount": "pgd-steps",
        "AdversaryOptions.stepSize": "pgd-step-size",
        "CounterexampleOptions.consistency": "consistency",
        "CounterexampleOptions.fill": "augment-fill",
        "CounterexampleOptions.place": "augment-place",
        "CounterexampleOptions.share": "augment-share",
        "categories": "category",
        "checkpointSeconds": "checkpoint-every",
        "collection": "collect-masks",
        "dilation": "dilate",
        "erosion": "erode",
        "factor": "schedule-factor",
        "frozenEpochs": "unfreeze-after",
        "frozenLayers": "freeze",
        "initialWeights": "init",
        "inverts": "invert",
        "isNesterov": "nesterov",
        "isPerPixel": "per-pixel",
        "isShuffled = false": "no-shuffle",
        "isStrict": "strict",
        "judgedSplit": "judge",
        "lambda1WarmupSteps": "lambda1-warmup",
        "largestNorm": "clip-norm",
        "masksAmongImages = false": "no-masks-among-images",
        "maximumArea": "max-area",
        "minimumArea": "min-area",
        "normalization": "normalize",
        "resumes": "resume",
        "selection": "threshold",
        "stepEpochs": "schedule-epochs",
        "testCount": "test",
        "trainCount": "train",
    ]

    /// `--masks-layout` for `masksLayout`
    var flag: String { "--" + (Self.flags[name] ?? words) }
}

extension OperationName {
    /// The command that runs an operation, without the name of the program where it is none of ours.
    var command: String {
        // What a program is to read.
        let arguments = name == "FileDescription" ? " --json" : ""
        return words.map { "rrdata \($0)\(arguments)" } ?? name
    }
}
