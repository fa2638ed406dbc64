internal import ArgumentParser
import RRDatasets
import RRExplanation
import RRFormats
import RRPreparation
import RRStreaming
import RRTraining

struct CompareCommand: PathCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Measure several runs on the same samples, side by side.",
        discussion: """
            Examples:
              rrdata compare plain right decoy.h5 --masks masks.h5
              rrdata compare plain right other decoy.h5 --masks masks.h5 --split all --json

            The table has the figures of evaluate, whose help defines them. Then the first run is compared with each of \
            the others, sample by sample: McNemar's test (1947) asks whether they are right equally often, by the \
            samples that one of them alone is right about. Its p is exact, by the binomial distribution, for up to \
            1,000 of these, else by the chi-square distribution with Edwards' correction. It is the chance of drawing \
            samples, not that of training: two seeds of one model may differ as clearly. Of many pairs some differ by \
            chance.

            The samples that the two take for different classes are listed, --json has all of them.
            """)

    @Argument(help: "Two or more run folders, and the dataset or a folder of PNG files.")
    var inputs: [String]

    @Option(help: "The mask set that says which pixels are no valid reason.")
    var masks: String?

    @Option(help: "The split to measure on, or all; test where the dataset has splits, else all.")
    var split: String?

    @Option(
        help:
            "How often samples are drawn anew for the intervals of figures such as auroc, a thousand as Efron and Tibshirani (1993) advise; 0 for none."
    )
    var bootstrap = 1000

    @Option(
        help:
            "Decides these draws, the values that A is randomised to, and who swaps with whom; any number will do."
    )
    var seed: UInt64 = 0

    @OptionGroup var swapping: SwapTestArguments

    @Option(
        help:
            "The number of changed samples that are listed for each pair; ten fit a screen, --json has them all."
    )
    var list = 10

    @OptionGroup(title: "How a folder of PNG files is read") var folder: FolderOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup var report: ReportOptions

    var paths: CommandPaths {
        var paths = CommandPaths()
        for path in inputs { paths.read(path) }
        paths.read(masks, option: .masks)
        return paths
    }

    func validate() throws {
        guard inputs.count >= 3 else { throw ValidationError("give two runs or more, and then a dataset") }
        guard 0...PredictionMeasurement.largestDrawCount ~= bootstrap else {
            throw ValidationError(
                "--bootstrap must be from 0 to \(PredictionMeasurement.largestDrawCount)")
        }
        guard list >= 0 else { throw ValidationError("--list must be from 0 on") }
        if masks == nil, swapping.isGiven {
            throw ValidationError("the swap test is about explanations, which need --masks")
        }
    }

    func run() throws {
        try Run.checkOrder(of: inputs)
        let runs = try inputs.dropLast().map { try Run(path: $0) }
        let dataset = try folder.open(inputs[inputs.count - 1])
        if masks != nil { try dataset.prepareFingerprint() }
        let masks = try masks.map { try MaskSet(path: $0, for: dataset) }
        var measurement = ExplanationMeasurement()
        measurement.seed = seed
        measurement.hasSwapTest = swapping.swapTest
        measurement.swapPlace = swapping.swapPlace
        var predictions = PredictionMeasurement()
        predictions.drawCount = bootstrap
        predictions.seed = seed
        predictions.keepsSamples = true
        let place = try masks == nil || !swapping.swapTest ? nil : measurement.place(in: dataset)
        for run in runs { Console.note(try run.remarks(onMeasuring: dataset)) }
        let line = ProgressLine()
        defer { line.clear() }
        let evaluations = try runs.map { run in
            try run.evaluate(
                dataset, masks: masks, split: split, measurement: measurement, predictions: predictions,
                threadCount: threads.jobs
            ) { done, total in line.show("samples", done: done, of: total) }
        }
        line.clear()
        let reports = zip(runs, evaluations).map { run, evaluation in
            EvaluationReport(
                evaluation: evaluation,
                explanation: evaluation.explanation.map {
                    let weight = run.penaltyWeight.flatMap { $0.target == measurement.target ? $0 : nil }
                    return ExplanationReport(
                        metrics: $0, measurement: measurement, swapPlace: place, penaltyWeight: weight)
                })
        }
        let comparisons = try evaluations.dropFirst().map { try RunComparison(evaluations[0], $0) }
        let printed = ComparisonReport(
            names: Array(inputs.dropLast()), reports: reports, comparisons: comparisons,
            ids: try dataset.ids(), listedCount: list)
        if report.json { Console.print(json: printed.json) } else { Console.print(Message(printed.text)) }
    }
}
