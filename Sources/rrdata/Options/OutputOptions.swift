internal import ArgumentParser
internal import RRFormats

/// Where a command writes, and whether it may replace what is there.
struct OutputOptions: ParsableArguments {
    @Option(name: [.short, .long], help: "Where the result is written.")
    var output: String

    @Flag(help: "Replace an output that exists.")
    var force = false

    @OptionGroup var durability: DurabilityOptions
}

/// Whether a command waits for the disk.
struct DurabilityOptions: ParsableArguments {
    @Flag(
        inversion: .prefixedNo,
        help: "Bring outputs to the disk before the command ends, so that they outlast a power cut.")
    var sync = true

    /// Holds for all of the process from here on: outputs are made in many places.
    func validate() { Durability.isEnsured = sync }
}

/// How a command reports its result.
struct ReportOptions: ParsableArguments {
    @Flag(help: "Print one JSON object on standard output instead of text.")
    var json = false

    @Flag(help: "Show no progress and no notes; results and errors are told as ever.")
    var quiet = false

    @Option(
        help:
            "How progress is told on standard error: line, in place and on a terminal only; json, an object a line for other programs; none."
    )
    var progress: ProgressForm = .line

    /// Holds for all of the process from here on: notes come from many places.
    func validate() {
        Console.isQuiet = quiet
        Console.progressForm = quiet ? .none : progress
    }
}

/// How a command tells how far it is.
enum ProgressForm: String, CaseIterable, ExpressibleByArgument {
    case line
    case json
    case none
}

/// How many threads a command uses.
struct ThreadOptions: ParsableArguments {
    @Option(help: "The number of threads; all processor cores by default. It has no effect on the result.")
    var jobs: Int?

    func validate() throws {
        guard let jobs else { return }
        guard jobs >= 1, jobs <= 1024 else { throw ValidationError("--jobs must be from 1 to 1024") }
    }
}
