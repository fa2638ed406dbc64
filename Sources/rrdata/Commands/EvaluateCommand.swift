internal import ArgumentParser
import RRDatasets
import RRExplanation
import RRFormats
import RRPreparation
import RRStreaming
import RRTraining

struct EvaluateCommand: PathCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Measure a trained model: how often it is right, and for which reasons.",
        discussion: """
            Examples:
              rrdata evaluate right decoy.h5 --masks masks.h5
              rrdata evaluate right decoy.h5 --masks masks.h5 --best --top-k 32 --json
              rrdata evaluate photos.h5 --model model.json --weights weights.safetensors --split val --json

            worst_class is the class with the lowest accuracy; per_group and worst_group are the same for the groups \
            of the dataset, where it has some (Sagawa et al. 2020). All figures of classes are scikit-learn's. Of two \
            classes auroc and average_precision are those of class 1, of more the mean over the classes against the rest:
              balanced_accuracy           the mean of the classes' accuracies; 1/K for one class throughout. One sample of \
            a rare class weighs as many of another
              macro_f1                    the mean of 2 TP / (2 TP + FP + FN). It changes with how frequent classes are
              auroc                       the probability that a sample of the class has the higher p of the two, 0.5 by \
            chance (Hanley and McNeil 1982). It looks at the order alone, and may be high where most alarms are false
              average_precision           Σ (R_n − R_(n−1)) P_n; by chance the share of the class, not 0.5
              expected_calibration_error  15 bins of the largest p: |accuracy − mean p|, by samples (Guo et al. 2017). Above \
            0 for a perfect model too where samples are few
              brier_score                 the mean of Σ (p_k − [y = k])², of two classes half of it (Brier 1950). Calibration \
            and accuracy in one
            Their intervals of 95 % are percentiles over --bootstrap draws of samples, decided by --seed; for more than 2 \
            million probabilities auroc and average_precision have none.

            --curves STEPS measures deletion and insertion (Petsiuk et al. 2018): the probability of the predicted class as \
            the pixels with the highest |g|, channels summed, become 0, or come into the image blurred by 11 × 11 pixels. \
            The areas are low and high where g tells what the model looks at, right or wrong. It takes 2 · STEPS + 2 \
            predictions for each sample, and images with holes are like none that the model knows.

            With masks, the object "explanation" has the following figures. g is the input gradient of --target, A \
            what a sample's mask marks, D the number of elements C·H·W. Elements are ranked by |g|, of equal ones the \
            first in (C,H,W). Each is a mean over the measured samples: annotated, with a gradient that is finite \
            and not zero throughout; all others are counted. Where A marks wrong reasons, lower is better.
              gradient_share_inside_mask       Σ over A of |g|, by Σ |g| (Arras et al. 2022: relevance mass accuracy)
              mask_share_of_area               |A| / D
              gradient_share_relative_to_area  the first by the second. Chance has 1: so has a gradient of noise, and \
            a model that reads what lies inside A and outside alike. A model that reads nothing inside A has 0
              relevance_rank_accuracy          the share of A among the |A| highest elements (Arras et al. 2022)
              top_k_intersection               the k highest elements and A: their intersection by their union
              localization_area                the probability that an element of A has a larger |g| than one outside, 0.5 by \
            chance: the area under the ROC curve (Fawcett 2006). The order of the many tiny |g| decides as much as that of \
            the few large ones
              pointing_game                    how often the highest element lies in A (Zhang et al. 2016)
              wrong_reason_score               the share of A with |g| above the image's mean of |g| (after Friedrich \
            et al. 2023, whose threshold and normalisation were others)
            Over all samples, measured or not:
              penalty                          R = Σ over n of Σ over A of g², by the number of samples; null \
            where an annotated sample's g is not finite
              penalty_to_cross_entropy         λ1 R / CE, R reduced as in the run (sum: of a batch of the run's size); \
            null without --lambda1 where the run had another --guidance or --penalty-target
            Over all samples whose mask marks something:
              prediction_flips                 how often a prediction changes when the elements in A are replaced
            by low + (high − low) u: 0 and 1 for integers, else the image's smallest and largest value, before \
            normalisation. u of the element d is the upper 53 bits of mix(s + (d+1)·0x9E3779B97F4A7C15) by 2^53, with \
            s = mix(mix(seed) + index), mix the output function of SplitMix64, and index the row in the dataset. Noise is \
            like no picture, and a model that reads backgrounds may not care for it.
              swap_test                        how often a prediction changes when what lies inside A becomes that of \
            another sample, its object filled from the nearest pixels of its A ("inside"): of a sample of another place, of \
            one of the same place, and the difference, about 0 for a model that does not read A. A place is a group, with \
            donors of the same class where there are any, or a class (--swap-place). "outside" swaps what lies outside A, by \
            donors of another class and of the same: a model that is right for the right reasons changes with the first.
            The test takes four more predictions for each annotated sample; --no-swap-test leaves it out. By class it \
            misleads where class and place are independent in the split: then both shares are alike, whatever the model \
            reads. A model that is wrong, or certain, everywhere changes little too.

            Every share has an interval of 95 % beside it (Wilson 1927; of differences Newcombe 1998, method 10): the \
            chance of drawing samples, not that of training.
            """)

    @Argument(
        help:
            "The run folder, and the dataset or a folder of PNG files; the latter alone with --model and --weights."
    )
    var inputs: [String]

    @OptionGroup var trained: TrainedModelOptions

    @Flag(help: "Take the weights of the run's best epoch, best.safetensors, in place of the last step's.")
    var best = false

    @Option(help: "The mask set that says which pixels are no valid reason.")
    var masks: String?

    @Option(help: "The split to measure on, or all; test where the dataset has splits, else all.")
    var split: String?

    @Option(help: "Whose input gradient is measured. (default: sum-log-prob, the paper's)")
    var target: PenaltyTarget?

    @Option(help: "The k of top_k_intersection; as many elements as each mask marks by default.")
    var topK: Int?

    @Option(
        name: .customLong("lambda1"),
        help: "The weight of the penalty in penalty_to_cross_entropy; the run's by default.")
    var lambda1: Double?

    @Option(
        help: ArgumentHelp(
            "Write a table of all samples: id, label, prediction, the probability of each class, group, and the figures of each.",
            valueName: "file.csv"))
    var predictions: String?

    @Flag(help: "Replace a table that exists.")
    var force = false

    @Option(
        help:
            "How often samples are drawn anew for the intervals of figures such as auroc, a thousand as Efron and Tibshirani (1993) advise; 0 for none."
    )
    var bootstrap = 1000

    @Option(
        help: ArgumentHelp(
            "Measure deletion and insertion in so many steps, each two predictions for every sample.",
            valueName: "steps"))
    var curves: Int?

    @Option(
        help:
            "Decides the draws of the bootstrap, the values that the pixels in A are randomised to, and who swaps with whom. (default: 0; any number will do)"
    )
    var seed: UInt64?

    @OptionGroup var swapping: SwapTestArguments

    @Option(help: ResizeCrop.argumentHelp)
    var resizeCrop: ResizeCrop?

    @OptionGroup(title: "How a folder of PNG files is read") var folder: FolderOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup var report: ReportOptions

    var paths: CommandPaths {
        var paths = CommandPaths(force: force)
        for path in inputs { paths.read(path) }
        paths.read(masks, option: .masks)
        trained.add(to: &paths)
        paths.write(predictions, .predictions)
        return paths
    }

    func validate() throws {
        let takesRun = trained.model == nil && trained.weights == nil
        guard inputs.count == (takesRun ? 2 : 1) else {
            throw ValidationError(
                takesRun
                    ? "give a run folder and a dataset" : "give the dataset alone with --model and --weights")
        }
        if force, predictions == nil { throw ValidationError("--force is about the table of --predictions") }
        if best, !takesRun { throw ValidationError("--best is for a run; --weights names a file already") }
        let isAboutMasks =
            topK != nil || lambda1 != nil || swapping.isGiven || (target != nil && curves == nil)
        if masks == nil, isAboutMasks {
            throw ValidationError(
                "--top-k, --lambda1, --target and those of the swap test are about explanations, which need --masks"
            )
        }
        guard 0...PredictionMeasurement.largestDrawCount ~= bootstrap else {
            throw ValidationError("--bootstrap must be from 0 to \(PredictionMeasurement.largestDrawCount)")
        }
        if let curves, !(1...PixelCurves.largestStepCount ~= curves) {
            throw ValidationError("--curves must be from 1 to \(PixelCurves.largestStepCount)")
        }
        if let lambda1, !(lambda1 >= 0 && lambda1.isFinite) {
            throw ValidationError("--lambda1 must be a number from 0 on")
        }
    }

    func run() throws {
        if inputs.count == 2 { try Run.checkOrder(of: inputs) }
        var run = try trained.open(
            run: inputs.count == 2 ? inputs[0] : nil, pathName: "a run folder", best: best)
        run.resizeCrop = resizeCrop ?? run.resizeCrop
        let dataset = try folder.open(inputs[inputs.count - 1])
        Console.note(try run.remarks(onMeasuring: dataset))
        if masks != nil { try dataset.prepareFingerprint() }
        let masks = try masks.map { try MaskSet(path: $0, for: dataset) }
        if let masks { try checkAnnotation(of: dataset, masks) }
        var measurement = ExplanationMeasurement()
        measurement.target = target ?? measurement.target
        measurement.topCount = topK
        measurement.seed = seed ?? measurement.seed
        measurement.hasSwapTest = swapping.swapTest
        measurement.swapPlace = swapping.swapPlace
        var predicting = PredictionMeasurement()
        predicting.drawCount = bootstrap
        predicting.seed = measurement.seed
        predicting.curveStepCount = curves
        predicting.keepsSamples = predictions != nil
        let table = try predictions.map { try PredictionFile(path: $0, force: force) }
        let place = try masks == nil || !swapping.swapTest ? nil : measurement.place(in: dataset)
        let line = ProgressLine()
        defer { line.clear() }
        let evaluation = try run.evaluate(
            dataset, masks: masks, split: split, measurement: measurement, predictions: predicting,
            precision: trained.precision, threadCount: threads.jobs
        ) { done, total in line.show("samples", done: done, of: total) }
        line.clear()
        try table?.write(evaluation, of: dataset)
        var weight = run.penaltyWeight.flatMap { $0.target == measurement.target ? $0 : nil }
        if let lambda1 {
            weight = weight ?? Run.PenaltyWeight(lambda1: lambda1)
            weight?.lambda1 = lambda1
        }
        let explanation = evaluation.explanation.map {
            ExplanationReport(
                metrics: $0, measurement: measurement, swapPlace: place, penaltyWeight: weight)
        }
        let printed = EvaluationReport(evaluation: evaluation, explanation: explanation)
        if report.json { Console.print(json: printed.json) } else { Console.print(Message(printed.text)) }
    }

    /// Says where no sample that is measured is annotated, and stops where the penalty is asked for.
    private func checkAnnotation(of dataset: Dataset, _ masks: MaskSet) throws {
        let split = split ?? (dataset.splitNames.isEmpty ? "all" : "test")
        guard try !dataset.indices(inSplit: split).contains(where: masks.isAnnotated) else { return }
        let message: Message =
            "\(masks.missingAnnotation(inSplit: split)), so nothing can be said of explanations"
        guard lambda1 == nil else { throw TrainingError(.nothingAnnotated, .file(dataset.path), message) }
        Console.note(message)
    }
}
