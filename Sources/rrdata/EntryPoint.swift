internal import ArgumentParser
import Glibc
import RRDatasets
import RRFormats

/// Parses the command line, runs the command and ends the process with the exit code of the contract.
@main
enum EntryPoint {
    static func main() {
        StandardOutput.reserveStandardStreams()
        HDF5ReaderProcess.prepare(expecting: Array(CommandLine.arguments.dropFirst()))
        Interruption.watch()
        var status = run()
        if let failure = Console.finish() {
            Console.error("rrdata: error: \(failure.explanation)")
            // What failed before, or was found, has its own code.
            if status == EXIT_SUCCESS || status == 1 { status = FailureCode.ioError.rawValue }
        }
        exit(status)
    }

    /// Runs the command, and gives its exit code.
    private static func run() -> Int32 {
        do {
            let arguments = Array(CommandLine.arguments.dropFirst())
            guard !arguments.isEmpty else {
                Console.print(Message(NextSteps(in: ".").text))
                return EXIT_SUCCESS
            }
            guard arguments != ["--version"] else {
                Console.print(Message(VersionReport.text))
                return EXIT_SUCCESS
            }
            try checkCommand(arguments, of: RRDataCommand.self)
            var command = try RRDataCommand.parseAsRoot()
            try (command as? any PathCommand)?.paths.check()
            try command.run()
            return EXIT_SUCCESS
        } catch {
            // What fails because an interruption takes the outputs away is no failure of its own.
            Interruption.waitIfUnderWay()
            guard let code = FailureCode(error) else { return report(error) }
            let text = (error as? any ExplainedError)?.explanation ?? "\(error)"
            Console.error("rrdata: error: \(text)")
            // Standard output may be the very file that is not to be written to.
            let isConflict = (error as? FormatError)?.code == .conflictingPaths && StandardOutput.file != nil
            if FailureReport.isAskedFor, !isConflict {
                Console.print(json: FailureReport.json(error, exit: code, message: text.commandLineText))
            }
            return code.rawValue
        }
    }

    /// Answers a name that is no command with those that are most like it.
    private static func checkCommand(_ arguments: [String], of parent: any ParsableCommand.Type) throws {
        let known = parent.configuration.subcommands
        guard let word = arguments.first, !word.hasPrefix("-"), word != "help", !known.isEmpty else { return }
        if let command = known.first(where: { $0.configuration.commandName == word }) {
            return try checkCommand(Array(arguments.dropFirst()), of: command)
        }
        let nearest = NearestNames(to: word, among: known.compactMap { $0.configuration.commandName })
        guard !nearest.names.isEmpty else { return }
        throw ValidationError("there is no command “\(word.legible)”\(nearest.question)")
    }

    /// Says what the argument parser has to say, help included.
    private static func report(_ error: any Error) -> Int32 {
        let code = RRDataCommand.exitCode(for: error)
        let text = RRDataCommand.fullMessage(for: error)
        if !text.isEmpty {
            if text.hasPrefix("Error: Missing expected argument"), let slip = slip() { Console.error(slip) }
            if code.isSuccess { Console.printHelp(text) } else { Console.error(Message(text)) }
        }
        return code.rawValue
    }

    /// What may have been meant by an option that there is none of; nil where there is no such word.
    ///
    /// Where it is one that must be given, the argument parser only says that this is missing.
    private static func slip() -> Message? {
        let arguments = CommandLine.arguments.dropFirst().prefix { $0 != "--" }
        var command: any ParsableCommand.Type = RRDataCommand.self
        for word in arguments {
            guard
                let next = command.configuration.subcommands.first(where: {
                    $0.configuration.commandName == word
                })
            else { break }
            command = next
        }
        let words = RRDataCommand.helpMessage(for: command).split { letter in
            !(letter.isLetter || letter.isNumber || letter == "-")
        }
        let known = Set(words.filter { $0.hasPrefix("--") }.map(String.init))
        return arguments.lazy.filter { $0.hasPrefix("--") }.compactMap { word -> Message? in
            let name = String(word.prefix { $0 != "=" })
            let nearest = NearestNames(to: name, among: known.sorted())
            return known.contains(name) || nearest.names.isEmpty
                ? nil : "Error: there is no option “\(name.legible)”\(nearest.question)"
        }.first
    }
}

/// `rrdata`, and under it one command a file.
struct RRDataCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rrdata",
        abstract: "Train image classifiers that are right for the right reasons.",
        discussion: """
            Images and annotation masks become one dataset and one mask set, and a model trained on both is \
            punished for looking where the masks say that no valid reason is.

            Example, from a folder with one folder of PNGs a class:
              rrdata import pngs photos -o photos.h5
              rrdata info photos.h5
              rrdata train photos.h5 --masks masks.h5 --model lenet -o run
              rrdata evaluate run photos.h5 --masks masks.h5

            Exit codes: 0 done, 1 validate found faults, 64 usage, 65 bad data, 66 no such input, 70 a bug of \
            rrdata, 73 cannot write or the output exists, 74 I/O error, 130 interrupted (128 and its number for any \
            other signal).
            """,
        version: Dataset.creator,
        subcommands: [
            ImportCommand.self, ExportCommand.self, DecoyCommand.self, ToyColorsCommand.self,
            ValidateCommand.self, InfoCommand.self, PreviewCommand.self,
            StreamCommand.self, TrainCommand.self, EvaluateCommand.self, CompareCommand.self,
            ReportCommand.self,
            MakeMasksCommand.self, FindAnotherCommand.self, SweepCommand.self,
        ])
}
