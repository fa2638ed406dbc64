public import RRDatasets
internal import RRExplanation
internal import RRFormats
package import RRSchemas
public import RRTraining

/// A page about trained models: what was run, on what, how training went, how good the models are and for which reasons, with samples
/// that they are right about for the wrong reason.
///
/// The page needs nothing from elsewhere, runs no script, and shows names of whatever origin as text.
///
/// ```swift
/// let report = try RunReport(
///     of: [ReportedRun(path: "plain"), ReportedRun(path: "right")], dataset: dataset, masks: masks)
/// try report.write(to: "report.html")
/// ```
public struct RunReport: Sendable {
    /// The page.
    public let html: String

    /// How a report measures and what it shows.
    public struct Options: Sendable {
        /// A split's name or `all`; nil for `test` where the dataset has splits, else all samples.
        public var split: String?
        /// Decides the draws of intervals, what A is randomised to and who swaps with whom: as `evaluate` has it.
        public var seed: UInt64 = 0
        /// The samples of the gallery.
        public var galleryCount: Int = 8
        /// The number of threads; nil for one a processor core.
        public var threadCount: Int?
        /// What stands above the page; nil for the names of the runs, or of the series that they come from.
        public var title: String?

        public init() {}
    }

    /// Measures runs and draws the page.
    ///
    /// - Parameters:
    ///   - runs: the first is the one that others are compared with.
    ///   - dataset: what they are measured on, with labels; nil to leave measurements out.
    ///   - masks: the masks of the dataset; nil to leave reasons out.
    ///   - options: what is measured and shown.
    ///   - series: the sweeps and searches that runs come from.
    ///   - progress: is told of the samples done and of all, run by run.
    /// - Throws: as `Run.evaluate` and `Run.attributions`; `FormatError` where a run cannot be read.
    public init(
        of runs: [ReportedRun], dataset: Dataset? = nil, masks: MaskSet? = nil,
        options: Options = Options(), series: [ReportedSeries] = [],
        progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws {
        let others = runs.map(\.name).filter { run in
            !series.contains { run.hasPrefix($0.name + "/") }
        }
        let names = (series.map(\.name) + others).joined(separator: ", ")
        let title = options.title ?? "Report on \(names)"
        var page = HTMLPage(title: title)
        let descriptions = runs.map(\.description)
        if !series.isEmpty { page.add("series", "What was tried", SeriesSection.html(series)) }
        page.add("runs", "What was run", RunSection.html(runs))
        if let dataset { page.add("data", "Data and masks", try DataSection.html(dataset, masks)) }
        let curves = try CurveSection.html(runs)
        if !curves.isEmpty { page.add("training", "How training went", curves) }
        if let dataset, dataset.labels != nil {
            let results = try Self.results(runs, dataset, masks, options, progress)
            page.add("results", "How often they are right", ResultSection.html(results, of: dataset))
            if masks != nil { page.add("reasons", "For which reasons", ReasonSection.html(results)) }
            if let masks {
                let gallery = try GallerySection(results, options).html(dataset, masks)
                page.add("gallery", "Right for the wrong reason", gallery)
            }
        }
        page.add("again", "Doing it again", RunSection.commands(runs, descriptions))
        html = page.html()
    }

    /// Writes the page.
    ///
    /// - Parameters:
    ///   - path: the file, which appears whole or not at all.
    ///   - force: whether an existing file is replaced.
    /// - Throws: `FormatError`.
    public func write(to path: String, force: Bool = false) throws {
        let output = try AtomicOutput(path: path, force: force)
        try FileBytes.write(Array(html.utf8), to: output.temporaryPath)
        try output.commit()
    }

    private static func results(
        _ runs: [ReportedRun], _ dataset: Dataset, _ masks: MaskSet?, _ options: Options,
        _ progress: (Int, Int) -> Void
    ) throws -> [MeasuredRun] {
        var measurement = ExplanationMeasurement()
        measurement.seed = options.seed
        var predictions = PredictionMeasurement()
        predictions.seed = options.seed
        predictions.keepsSamples = true
        let place = masks == nil ? nil : try measurement.place(in: dataset)
        let split = options.split ?? dataset.split(preferring: "test")
        return try runs.map { reported in
            MeasuredRun(
                reported: reported,
                evaluation: try reported.run.evaluate(
                    dataset, masks: masks, split: split, measurement: measurement, predictions: predictions,
                    threadCount: options.threadCount, progress: progress),
                split: split, place: place,
                weight: reported.run.penaltyWeight.flatMap { $0.target == measurement.target ? $0 : nil })
        }
    }
}

/// A run that a report is about.
public struct ReportedRun: Sendable {
    /// What it is called in the report.
    public let name: String
    public let run: Run
    /// The command that makes such a run; nil where nobody says.
    public var command: String?
    /// What `config.json` and `model.json` say.
    package let description: JSONValue

    /// Opens a run folder.
    ///
    /// - Throws: as `Run.init(path:best:)`.
    public init(path: String, name: String? = nil) throws {
        run = try Run(path: path)
        self.name = name ?? path
        description = try RunDescription.json(of: path) ?? .null
    }
}

/// A run with what was measured of it.
struct MeasuredRun: Sendable {
    let reported: ReportedRun
    let evaluation: Evaluation
    let split: String
    /// What stands for places in the swap test; nil without masks.
    let place: SwapPlace?
    let weight: Run.PenaltyWeight?

    var name: String { reported.name }
}
