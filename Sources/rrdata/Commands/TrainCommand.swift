internal import ArgumentParser
import RRDatasets
import RRExplanation
import RRFormats
import RRPreparation
import RRSchemas
import RRTraining

struct TrainCommand: PathCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Train a classifier with the explanation loss.",
        discussion: """
            The loss is the cross-entropy plus lambda1 times the penalty: the squared input gradient where the \
            masks say that no valid reason is. Without masks, or with --lambda1 0, it is plain cross-entropy. --guidance \
            puts another term in the penalty's place.

            Examples:
              rrdata train decoy.h5 --model mlp --epochs 40 -o plain
              rrdata train decoy.h5 --masks masks.h5 --lambda1 1 --model mlp --epochs 40 -o right

              rrdata train photos.h5 --model lenet --validation val --patience 5 --epochs 90 --schedule cosine \
            --resume -o run

            The run folder has config.json, model.json, weights.safetensors (as PyTorch reads it; the last step's), \
            best.safetensors with --validation, metrics.jsonl, with a line a step, and metrics.csv, with a row an epoch, \
            for curves. From its first checkpoint until it is done, the run stands beside that name as RUN.unfinished; \
            with --resume the first comes before the first step. Whatever stops the process, the same command with \
            --resume goes on from there, and ends with the same weights to the last bit. With more --epochs it goes on with a run \
            that is done, to what as many epochs from the first would have made; --schedule cosine and one-cycle have come to \
            their end and are refused.
            """)

    @Argument(help: "The dataset, or a folder of PNG files.")
    var dataset: String

    @Option(help: "The mask set that says which pixels are no valid reason.")
    var masks: String?

    @Option(
        name: .customLong("lambda1"),
        help:
            "The weight of the penalty, or auto: as heavy as the cross-entropy after 100 steps. auto where masks are given, since no one weight fits all images and networks."
    )
    var lambda1: Lambda1?

    @OptionGroup var learning: LearningArguments
    @OptionGroup var guidance: GuidanceArguments
    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "How a folder of PNG files is read") var folder: FolderOptions
    @OptionGroup var keeping: RunKeepingArguments
    @OptionGroup var threads: ThreadOptions

    @Option(
        help: ArgumentHelp(
            "The most memory that training may take, as 4G or 2500M. It has no effect on the result.",
            discussion: """
                Fewer samples are then on their way at once, and where that is not enough, feature maps are computed again \
                in the backward passes instead of kept, which takes up to twice the time. A limit that cannot be kept is \
                refused with the smallest that can. What training takes is said before the first step where there is a \
                limit, and where it is more than 1G.
                """, valueName: "size"))
    var memoryLimit: MemorySize?

    @Flag(
        help: ArgumentHelp(
            "Compute every convolution as the sums that define it.",
            discussion: """
                In single precision, kernels of three by three on large images otherwise take fewer products (Winograd's \
                transform) and less time, and differ in two or three of the last bits. Double precision is always exact.
                """))
    var exact = false

    @OptionGroup var report: ReportOptions

    var paths: CommandPaths {
        var paths = CommandPaths(growing: output, resumes: keeping.resume)
        paths.read(dataset)
        paths.read(masks, option: .masks)
        paths.read(keeping.validation, option: .validation)
        learning.add(to: &paths)
        // Its masks are wanted at every attempt.
        paths.write(keeping.collectMasks, .collection, isAlwaysReplaced: true)
        paths.write(keeping.tensorboard, .tensorboard)
        return paths
    }

    func validate() throws {
        let isAboutPenalty =
            learning.penaltyReduction != nil || learning.penaltyTarget != nil || learning.attribution != nil
        if masks == nil, guidance.guidance == .rrr, isAboutPenalty {
            throw ValidationError(
                "--penalty-reduction, --penalty-target and --attribution need --masks, without which there is no penalty"
            )
        }
    }

    func run() throws {
        let dataset = try folder.open(dataset)
        try dataset.prepareFingerprint()
        let masks = try masks.map { try MaskSet(path: $0, for: dataset) }
        guard lambda1 != nil || guidance.guidance != .inputGradient else {
            throw ValidationError(
                "--guidance input-gradient needs --lambda1, the weight of the squared gradient")
        }
        var options = try learning.options(
            for: dataset, lambda1: lambda1, guidance: guidance,
            resuming: keeping.resume && !output.force ? output.output : nil)
        options.validation = keeping.validation
        options.bestMetric = keeping.bestMetric ?? options.bestMetric
        options.patience = keeping.patience
        if let path = keeping.collectMasks, let count = keeping.topK {
            options.collection = CollectionOptions(selection: .top(count: count), output: path)
        } else if let path = keeping.collectMasks, let factor = keeping.threshold {
            options.collection = CollectionOptions(selection: .threshold(factor), output: path)
        }
        options.threadCount = threads.jobs
        options.memoryLimit = memoryLimit?.bytes
        options.isExact = exact

        let progress = TrainingReport()
        var loop = try TrainingLoop(dataset: dataset, masks: masks, options: options)
        loop.lambda1Progress = { progress.showChoice(stepsDone: $0, of: $1) }
        Console.note(loop.notes)
        let log = try keeping.tensorboard.map {
            try TensorBoardLog(folder: $0, run: output, adds: output.force || keeping.resume)
        }
        let path = output.output
        Interruption.keeps { Self.kept(of: path) }
        let summary: TrainingSummary
        do {
            summary = try loop.run(keeping.storage(output)) {
                progress.show($0)
                try log?.append($0)
            }
            progress.clear()
            try log?.finish()
        } catch {
            progress.clear()
            if let note = Self.kept(of: output.output) { Console.error("rrdata: note: \(note)") }
            throw error
        }
        if summary.wasDone {
            Console.note("\(output.output) was done already: no step was taken")
        }
        Console.note([try loop.remark(on: summary)].compactMap(\.self))
        if report.json {
            Console.print(json: TrainingReport.json(summary))
        } else {
            Console.print(Message(TrainingReport.text(summary, metric: options.bestMetric)))
        }
    }

    /// What is there of a run that was stopped; nil before its first checkpoint.
    private static func kept(of output: String) -> Message? {
        UnfinishedRun.stepCount(of: output).map { step in
            "\(UnfinishedRun.path(of: output)) has the run's first \(step) steps; --resume goes on with it, --force starts anew"
        }
    }
}
