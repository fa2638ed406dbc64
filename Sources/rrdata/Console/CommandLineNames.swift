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
    /// Options of the library that the command line does not name by their words.
    private static let flags: [String: String] = [
        "AdversaryOptions.radius": "pgd-radius",
        "AdversaryOptions.stepCount": "pgd-steps",
        "AdversaryOptions.stepSize": "pgd-step-size",
        "SplitFolders.none": "no-splits",
        "augmentation": "augment",
        "categories": "category",
        "checkpointSeconds": "checkpoint-every",
        "collection": "collect-masks",
        "dilation": "dilate",
        "dropsLast": "drop-last",
        "erosion": "erode",
        "factor": "schedule-factor",
        "frozenEpochs": "unfreeze-after",
        "frozenLayers": "freeze",
        "initialWeights": "init",
        "inverts": "invert",
        "isNesterov": "nesterov",
        "isPerPixel": "per-pixel",
        "isShuffled = false": "no-shuffle",
        "isShuffled": "shuffle",
        "isStrict": "strict",
        "judgedSplit": "judge",
        "lambda1WarmupSteps": "lambda1-warmup",
        "largestNorm": "clip-norm",
        "masksAmongImages = false": "no-masks-among-images",
        "maximumArea": "max-area",
        "minimumArea": "min-area",
        "normalization": "normalize",
        "resizing": "size",
        "resumes": "resume",
        "selection": "threshold",
        "stepEpochs": "schedule-epochs",
        "testCount": "test",
        "threadCount": "jobs",
        "trainCount": "train",
        "trustsLinks": "trust-links",
    ]

    /// `--masks-layout` for `masksLayout`
    var flag: String { "--" + (Self.flags[name] ?? name.wordsWithHyphens) }
}

extension OperationName {
    /// The command that runs an operation, without the name of the program where it is none of ours.
    private static let commands: [String: String] = [
        "ArrayExport(.hdf5)": "export hdf5",
        "ArrayExport(.npy)": "export npy",
        "ArrayImport": "import hdf5",
        "BatchStream": "stream",
        "FileDescription": "info --json",
        "ImageFolderImport(.images)": "import images",
        "ImageFolderImport(.pngs)": "import pngs",
        "TrainingLoop": "train",
    ]

    var command: String { Self.commands[name].map { "rrdata " + $0 } ?? name }
}

extension String {
    /// `masks-layout` for `masksLayout`
    fileprivate var wordsWithHyphens: String {
        var words = ""
        for character in self {
            if character.isUppercase { words.append("-") }
            words += character.lowercased()
        }
        return words
    }
}
