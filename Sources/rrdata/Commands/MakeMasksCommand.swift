internal import ArgumentParser
import RRDatasets
import RRExplanation
import RRFormats
import RRNetworks
import RRPreparation
import RRSchemas
import RRTensor
import RRTraining

struct MakeMasksCommand: PathCommand {
    static let configuration = CommandConfiguration(
        commandName: "make-masks",
        abstract: "Make masks from a model's largest input gradients.",
        discussion: """
            A sample's mask marks the elements with the largest absolute input gradient: what the model looks at \
            now, and shall not look at next time.

            --per-class answers what speaks for and against each class: for every class k of the model a mask set of \
            all samples from the gradient of log p_k, in the folder -o, as class-0.h5, class-1.h5, …

            --smooth N ranks the mean of the gradients at N noisy copies of the image (SmoothGrad, Smilkov et al. \
            2017), which is steadier. The noise is normal, its deviation --smooth-noise times the range of values: \
            0 to 1 for integers, each image's own for floating-point numbers, before normalisation. It follows from \
            --seed, the sample and the copy's number alone. The class of --target predicted is that of the clean image.

            --gradients takes what another program computed, gradients or other attributions, in place of a model: \
            an NPY file with a row for each sample of the dataset, or of --split in its order, of the images' shape \
            (C, H, W), or (H, W) for whole pixels. Their absolute values are ranked as they are.

            Examples:
              rrdata make-masks decoy.h5 --run plain --top-k 16 -o seen.h5
              rrdata make-masks decoy.h5 --run plain --threshold 0.67 --union seen.h5 -o more.h5
              rrdata make-masks photos.h5 --run run --top-fraction 0.05 --per-pixel --smooth 25 -o steady.h5
              rrdata make-masks photos.h5 --run run --top-k 50 --per-class -o classes
              rrdata make-masks photos.h5 --gradients gradients.npy --top-k 50 -o theirs.h5
              rrdata make-masks decoy.h5 --run plain --top-k 16 --save-attributions gradients.h5 -o seen.h5
            """)

    @Argument(help: "The dataset, or a folder of PNG files.")
    var dataset: String

    @Option(name: .customLong("run"), help: "The run folder with the model.")
    var runFolder: String?

    @OptionGroup var trained: TrainedModelOptions

    @Flag(help: "Take the weights of the run's best epoch, best.safetensors, in place of the last step's.")
    var best = false

    @Option(help: "A file with a gradient for each sample, in place of a model.")
    var gradients: String?

    @Option(help: "Take the K largest of all C·H·W elements of each sample; of equal ones the first.")
    var topK: Int?

    @Option(help: "Take this fraction of the elements of each sample.")
    var topFraction: Double?

    @Option(help: "Take all elements above this factor of the sample's largest.")
    var threshold: Double?

    @Flag(help: "Sum over channels first, and take whole pixels.")
    var perPixel = false

    @Option(
        help:
            "What is differentiated: sum-log-prob by default, as in the penalty; the paper's loop takes predicted."
    )
    var target: PenaltyTarget?

    @Flag(help: "Make a mask set for each class of the model, from the gradient of its log-probability.")
    var perClass = false

    @Option(help: "The number of noisy copies of each image whose gradients are averaged.")
    var smooth: Int?

    @Option(
        help:
            "The standard deviation of --smooth's noise as a share of the range of values. (default: 0.15, amid the 0.1 to 0.2 of Smilkov et al., 2017)"
    )
    var smoothNoise: Double?

    @Option(help: "Decides the noise of --smooth. (default: 0; any number will do)")
    var seed: UInt64?

    @Option(help: "Masks of the same dataset that the new ones are joined with.")
    var union: String?

    @Option(
        help:
            "Write the gradients too: HDF5 with the array attributions, (N, C, H, W), a row for each sample of --split."
    )
    var saveAttributions: String?

    @Option(help: "The split to make masks for, or all, as a mask set belongs to its whole dataset.")
    var split = "all"

    @OptionGroup(title: "How a folder of PNG files is read") var folder: FolderOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup var report: ReportOptions

    var paths: CommandPaths {
        var paths = CommandPaths(output, isFolder: perClass)
        paths.read(dataset)
        paths.readRun(runFolder)
        trained.add(to: &paths)
        paths.read(gradients, option: .gradients)
        paths.read(union, option: .union)
        paths.write(saveAttributions, .saveAttributions)
        return paths
    }

    func validate() throws {
        _ = try selection()
        if gradients != nil {
            let isGiven = [
                ("--run", runFolder != nil), ("--model", trained.model != nil),
                ("--weights", trained.weights != nil), ("--best", best),
                ("--precision", trained.precision != nil), ("--target", target != nil),
                ("--per-class", perClass), ("--smooth", smooth != nil),
                ("--save-attributions", saveAttributions != nil),
            ]
            if let (option, _) = isGiven.first(where: { $0.1 }) {
                throw ValidationError("--gradients are ranked as they are: leave out \(option)")
            }
        } else if runFolder == nil, trained.model == nil, trained.weights == nil {
            throw ValidationError("give --run, or --model and --weights, or --gradients")
        }
        if perClass, saveAttributions != nil {
            throw ValidationError(
                "--save-attributions writes one gradient a sample, and --per-class has one for each class: leave out one of them"
            )
        }
        if perClass, target != nil {
            throw ValidationError(
                "--per-class differentiates each class's log-probability: leave out --target")
        }
        guard let smooth else {
            guard smoothNoise == nil, seed == nil else {
                throw ValidationError("--smooth-noise and --seed go with --smooth")
            }
            return
        }
        guard smooth >= 1 else { throw ValidationError("--smooth must be at least 1") }
        if let smoothNoise, !(smoothNoise > 0 && smoothNoise.isFinite) {
            throw ValidationError("--smooth-noise must be a number above 0")
        }
    }

    func run() throws {
        let model =
            gradients == nil ? try trained.open(run: runFolder, pathName: "--run", best: best) : nil
        let dataset = try folder.open(dataset)
        try dataset.prepareFingerprint()
        var making = MaskMaking(dataset: dataset, selection: try selection())
        making.target = target ?? making.target
        making.smoothing = smoothing
        making.isPerPixel = perPixel
        making.union = try union.map { try MaskSet(path: $0, for: dataset) }
        making.split = split
        making.attributionPath = saveAttributions
        if let older = making.union,
            try !dataset.indices(inSplit: split).contains(where: older.isAnnotated)
        {
            Console.note(
                "\(older.missingAnnotation(inSplit: split)) in --union, so nothing is joined with their new masks"
            )
        }
        making.threadCount = threads.jobs
        if let model, making.target == .label, !perClass, let note = try model.matching(dataset).note {
            Console.note(note)
        }
        let (path, force, precision) = (output.output, output.force, trained.precision ?? .double)
        let line = ProgressLine()
        let masks: [MaskMakingSummary]
        do {
            defer { line.clear() }
            let progress = { line.show(perClass ? "gradients" : "samples", done: $0, of: $1) }
            masks =
                if let model, perClass {
                    try making.writeClasses(
                        model, to: path, precision: precision, force: force, progress: progress)
                } else if let model {
                    [
                        try making.write(
                            model, to: path, precision: precision, force: force, progress: progress)
                    ]
                } else {
                    [
                        try making.write(
                            gradientsAt: gradients ?? "", to: path, force: force, progress: progress)
                    ]
                }
        }
        let made = MaskMakingReport(path: path, sets: masks, isPerClass: perClass)
        if report.json { Console.print(json: made.json) } else { Console.print(Message(made.text)) }
    }

    private func selection() throws -> MaskSelection {
        switch (topK, topFraction, threshold) {
        case (let count?, nil, nil): .top(count: count)
        case (nil, let fraction?, nil): .topFraction(fraction)
        case (nil, nil, let factor?): .threshold(factor)
        default: throw ValidationError("give one of --top-k, --top-fraction and --threshold")
        }
    }

    private var smoothing: GradientSmoothing? {
        smooth.map {
            var smoothing = GradientSmoothing(copyCount: $0)
            smoothing.deviation = smoothNoise ?? smoothing.deviation
            smoothing.seed = seed ?? smoothing.seed
            return smoothing
        }
    }
}
