internal import ArgumentParser
import RRDatasets
import RRExplanation
import RRFormats
import RRPreparation
import RRSchemas
import RRTraining

struct FindAnotherCommand: PathCommand {
    static let configuration = CommandConfiguration(
        commandName: "find-another",
        abstract: "Train models one after another, each for other reasons than those before it.",
        discussion: """
            Where nobody has annotated anything: the first model is trained by plain cross-entropy, what it looks \
            at is marked, and the next must do without that, from the same start. Each round marks the elements \
            above --threshold times the largest absolute input gradient of their sample, and adds them to A.

            Where a new model's masks lie outside the earlier ones and its accuracy holds, it may have found another \
            explanation; but a large lambda1 empties the masked elements of gradient, whatever the model reads beside them. \
            So the region that each model looks at, its masks and what lies within a sixteenth of the image's shorter side, \
            becomes that of samples of another place, as in the swap test of evaluate, and the predictions that change are \
            counted. Where as many change of a new model as of an earlier one, by intervals of 95 % that overlap above 5 %, \
            both may read the same region, and a line says so. Which explanation is the right one, a person has to say.

            Examples:
              rrdata find-another toy.h5 --rounds 2 --model mlp --weight-decay 1e-4 --epochs 64 -o others
              rrdata evaluate others/round-2/run toy.h5 --masks others/round-1/masks.h5

            FOLDER has round-1, round-2, ..., each with its run, its masks.h5 and masks-so-far.h5, which is A of \
            the round after it, and find-another.json with the options and the figures. Until the last round is \
            done, it stands beside that name as FOLDER.unfinished, and the same command with --resume goes on.
            """)

    @Argument(help: "The dataset, or a folder of PNG files.")
    var dataset: String

    @Option(help: "The number of models to train; two show whether there is a second reason.")
    var rounds = 2

    @Option(help: "Mark all elements above this factor of the sample's largest; the paper's code has 0.67.")
    var threshold = 0.67

    @Option(help: "What is differentiated for the masks; the paper's code takes predicted.")
    var target: PenaltyTarget = .predicted

    @Flag(help: "Sum over channels first, and mark whole pixels.")
    var perPixel = false

    @Option(
        name: .customLong("lambda1"),
        help:
            "The weight of the penalty from the second round on; large, so that A is out of the question. Or auto, as of train."
    )
    var lambda1: Lambda1 = .value(1000)

    @OptionGroup var learning: LearningArguments

    @Option(help: "The split to measure the models on; test where the dataset has splits, else all.")
    var judge: String?

    @OptionGroup(title: "How a folder of PNG files is read") var folder: FolderOptions
    @OptionGroup var output: OutputOptions

    @Flag(
        help:
            "Go on with the unfinished rounds for this output, if there are any; of those that are done, print the table."
    )
    var resume = false

    @Option(
        help:
            "The seconds between checkpoints within an epoch, and so the most that is lost; every epoch but the last ends with one."
    )
    var checkpointEvery = 60.0

    @OptionGroup var threads: ThreadOptions
    @OptionGroup var report: ReportOptions

    var paths: CommandPaths {
        var paths = CommandPaths(growing: output, resumes: resume)
        paths.read(dataset)
        learning.add(to: &paths)
        return paths
    }

    func run() throws {
        let dataset = try folder.open(dataset)
        try dataset.prepareFingerprint()
        // A round to come begins with the network's own weights; one that is done has all that it needs.
        let isDone =
            resume && !output.force && FindAnotherLoop.unfinishedRoundCount(of: output.output) == nil
        var options = FindAnotherOptions(
            training: try learning.options(
                for: dataset, lambda1: lambda1,
                resuming: isDone ? "\(output.output)/\(FindAnotherRound.firstRun)" : nil))
        options.training.threadCount = threads.jobs
        options.rounds = rounds
        options.selection = .threshold(threshold)
        options.target = target
        options.isPerPixel = perPixel
        options.judgedSplit = judge
        let loop = try FindAnotherLoop(dataset: dataset, options: options)
        for note in loop.notes { Console.note(note) }
        let progress = FindAnotherReport(roundCount: rounds)
        if resume, !output.force, FindAnotherLoop.unfinishedRoundCount(of: output.output) == nil,
            FindAnotherLoop.doneRoundCount(of: output.output) != nil
        {
            Console.note("the rounds in \(output.output) were done already")
        }
        let done: [FindAnotherRound]
        let path = output.output
        Interruption.keeps { Self.kept(of: path) }
        do {
            done = try loop.run(
                RunStorage(
                    output: output.output, force: output.force, resumes: resume,
                    checkpointSeconds: checkpointEvery)
            ) { progress.show($0) }
            progress.clear()
        } catch {
            progress.clear()
            if let note = Self.kept(of: output.output) { Console.error("rrdata: note: \(note)") }
            throw error
        }
        if report.json {
            Console.print(json: FindAnotherReport.json(done, output: output.output))
        } else {
            Console.print(Message(FindAnotherReport.table(done)))
        }
    }

    /// What is there of rounds that were stopped; nil where there is none.
    private static func kept(of output: String) -> Message? {
        FindAnotherLoop.unfinishedRoundCount(of: output).map { count in
            "\(UnfinishedRun.path(of: output)) has \(count) of the rounds and what was begun of the next; --resume goes on with them, --force begins anew"
        }
    }
}
