internal import ArgumentParser
import RRFormats
import RRTraining

/// A command that states what it reads and where it writes, which is checked before it runs.
protocol PathCommand: ParsableCommand {
    var paths: CommandPaths { get }
}

/// What a command reads and where it writes.
struct CommandPaths {
    /// Whether outputs replace what is there.
    private let force: Bool
    private var plan = PathPlan()

    init(force: Bool = false) { self.force = force }

    init(_ output: OutputOptions, isFolder: Bool = false) {
        self.init(force: output.force)
        plan.write(output.output, .output, isFolder: isFolder)
    }

    /// Of a folder that grows as `NAME.unfinished` before it has its name.
    init(growing output: OutputOptions, resumes: Bool) {
        self.init(output, isFolder: true)
        // What is wanted of an older attempt is its last good weights.
        plan.write(
            UnfinishedRun.path(of: output.output), .output, isFolder: true, isAlwaysReplaced: resumes,
            spentInput: .initialWeights)
    }

    /// Adds what is read: files, or folders with all that is in them.
    mutating func read(_ paths: String?..., option: OptionName? = nil) {
        for path in paths { plan.read(path, option) }
    }

    /// Adds the files that a run is taken from.
    mutating func readRun(_ folder: String?) {
        guard let folder else { return }
        for name in Run.fileNames { plan.read(folder + "/" + name, .run) }
    }

    /// Adds the files among the names of arrays: `labels.npy`, `labels.h5:/y`.
    mutating func readArrays(_ names: [String], option: OptionName? = nil) {
        for name in names {
            plan.read(name, option)
            for colon in name.indices where name[colon] == ":" { plan.read(String(name[..<colon]), option) }
        }
    }

    /// Adds a further output.
    ///
    /// - Parameter isAlwaysReplaced: whether it replaces a file of its name without `--force`.
    mutating func write(
        _ path: String?, _ option: OptionName, isFolder: Bool = false, isAlwaysReplaced: Bool = false
    ) {
        plan.write(path, option, isFolder: isFolder, isAlwaysReplaced: isAlwaysReplaced)
    }

    /// Checks that the command would lose nothing that it reads, nor write two things to one place.
    ///
    /// - Throws: as `PathPlan.check`.
    func check() throws(FormatError) {
        try plan.check(force: force, standardOutput: StandardOutput.file)
    }
}

/// The options that name files.
extension OptionName {
    static let cornerMasksOutput = OptionName("cornerMasksOutput")
    static let collection = OptionName("collection")
    static let cursor = OptionName("cursor")
    static let data = OptionName("data")
    static let gradients = OptionName("gradients")
    static let saveAttributions = OptionName("saveAttributions")
    static let ids = OptionName("ids")
    static let initialWeights = OptionName("initialWeights")
    static let labels = OptionName("labels")
    static let masks = OptionName("masks")
    static let masksOutput = OptionName("masksOutput")
    static let metadata = OptionName("metadata")
    static let model = OptionName("model")
    static let output = OptionName("output")
    static let run = OptionName("run")
    static let tensorboard = OptionName("tensorboard")
    static let topMasksOutput = OptionName("topMasksOutput")
    static let union = OptionName("union")
    static let validation = OptionName("validation")
    static let weights = OptionName("weights")
}
