internal import ArgumentParser
import RRDatasets
import RRFormats
import RRStreaming
import RRTraining

struct SweepCommand: PathCommand {
    static let configuration = CommandConfiguration(
        commandName: "sweep",
        abstract: "Train with several weights and ways, and say which of them to take.",
        discussion: """
            Each way is trained with each weight of --lambda1 and each seed, and plain cross-entropy once a seed. What the \
            models are worth is measured on samples that are held out of the training: their accuracy, and their accuracy \
            when what lies inside the masks is that of a sample of another class. Recommended is the largest smaller one \
            of the two, over the seeds; models that tell nothing apart are left out. The accuracy alone is no guide: where \
            the wrong reason agrees with the class, it is best for the models that follow it.

            Examples:
              rrdata sweep decoy.h5 --masks masks.h5 --model mlp --epochs 15 --lambda1 0.1:1000 -o sweep
              rrdata sweep birds.h5 --masks backgrounds.h5 --model lenet --epochs 25 --ways swap,consistency,rrr \
            --lambda1 0.1,1,10 --seeds 0,1,2 -o sweep

            FOLDER has run-1, run-2, ..., each with its run, and sweep.json with the options and the figures. Until the last \
            run is done, it stands beside that name as FOLDER.unfinished, and the same command with --resume goes on. Of a \
            way, weights that are larger than two in a row whose models tell nothing apart are left out.
            """)

    @Argument(help: "The dataset, or a folder of images.")
    var dataset: String

    @Option(help: "The mask set that says which pixels are no valid reason.")
    var masks: String

    @Option(
        name: .customLong("lambda1"),
        help: ArgumentHelp(
            "The weights: from and to, by decade or by N a decade, or a list with commas between them. (default: 0.001:1000, where auto may lie)",
            valueName: "from:to[:n]|w0,w1,…"))
    var lambda1: SweepWeights?

    @Option(
        help: ArgumentHelp(
            "What is tried, with commas between them: rrr, logit-jacobian, swap, consistency. (default: rrr, the paper's)",
            discussion: """
                rrr is the penalty of the input gradient, of --penalty-target. The others are as in train: \
                --penalty-target logit-jacobian, --guidance augment --augment-fill swap, and --guidance consistency \
                --augment-fill swap.
                """))
    var ways: SweepWays?

    @Option(help: "The seeds, as 0,1,2 or 0:2. (default: that of --seed)")
    var seeds: SeedList?

    @Option(
        help:
            "The share of the samples that are trained on which is held out to judge by; a fifth leaves most to learn from."
    )
    var heldOutShare = 0.2

    @OptionGroup var learning: LearningArguments

    @Option(help: "The share of annotated samples in every batch, from 0 to 1; samples are drawn for it.")
    var annotatedFraction: Double?

    @OptionGroup(title: "How a folder of images is read") var folder: FolderOptions
    @OptionGroup var output: OutputOptions

    @Flag(
        help:
            "Go on with the unfinished runs for this output, if there are any; of those that are done, print the table."
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
        paths.read(masks, option: .masks)
        learning.add(to: &paths)
        return paths
    }

    func run() throws {
        let dataset = try folder.open(dataset)
        try dataset.prepareFingerprint()
        let masks = try MaskSet(path: masks, for: dataset)
        // A run to come begins with the network's own weights; one that is done has all that it needs.
        let isDone = resume && !output.force && SweepLoop.unfinishedRunCount(of: output.output) == nil
        var options = SweepOptions(
            training: try learning.options(
                for: dataset, lambda1: nil,
                resuming: isDone ? "\(output.output)/\(SweepRun.firstRun)" : nil))
        options.training.stream.annotatedFraction = annotatedFraction
        options.training.threadCount = threads.jobs
        options.ways = ways?.values ?? options.ways
        options.weights = lambda1?.values ?? options.weights
        options.seeds = seeds?.values ?? options.seeds
        options.heldOutShare = heldOutShare
        let loop = try SweepLoop(dataset: dataset, masks: masks, options: options)
        Console.note(loop.notes)
        if resume, !output.force, SweepLoop.unfinishedRunCount(of: output.output) == nil,
            SweepLoop.doneRunCount(of: output.output) != nil
        {
            Console.note("the runs in \(output.output) were done already")
        }
        let progress = SweepReport()
        let done: [SweepRun]
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
            Console.print(json: SweepReport.json(done, output: output.output))
        } else {
            Console.print(Message(SweepReport.text(done, output: output.output)))
        }
    }

    /// What is there of runs that were stopped; nil where there is none.
    private static func kept(of output: String) -> Message? {
        SweepLoop.unfinishedRunCount(of: output).map { count in
            "\(UnfinishedRun.path(of: output)) has \(count) of the runs and what was begun of the next; --resume goes on with them, --force begins anew"
        }
    }
}
