internal import ArgumentParser
import RRDatasets
import RRFormats
import RRReports
import RRSchemas
import RRTraining

struct ReportCommand: PathCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Make a page about runs: curves, figures with their meaning, and samples.",
        discussion: """
            One HTML file that needs nothing from elsewhere and runs no script, for a screen, a phone or paper: what was run, \
            how training went, and with --data how often each run is right, by class and group, and what it takes for what. \
            With --masks also where the masks lie, for which reasons the runs decide, as evaluate measures it with the same \
            figures, and the samples that the first run is right about for the wrong reason. Several runs stand side by side, \
            and the first is compared with each of the others. The folder of a sweep or of find-another stands for what was \
            tried, and for the runs that tell most: of a sweep the plain one and the recommended one, of find-another all rounds.

            Examples:
              rrdata report plain right --data decoy.h5 --masks masks.h5 -o report.html
              rrdata report plain -o curves.html
              rrdata report sweep --data decoy.h5 --masks masks.h5 -o sweep.html
            """)

    @Argument(
        help:
            "Run folders, or those of sweep and find-another; the first run is the one that the others are compared with."
    )
    var runs: [String]

    @Option(help: "The dataset, or a folder of images, that the runs are measured on.")
    var data: String?

    @Option(help: "The mask set that says which pixels are no valid reason.")
    var masks: String?

    @Option(help: "The split to measure on, or all; test where the dataset has splits, else all.")
    var split: String?

    @Option(help: "The number of samples in the gallery; 8 fill a screen, each adds pictures to the page.")
    var gallery = 8

    @Option(help: "What stands above the page; the names of the runs by default.")
    var title: String?

    @Option(
        help:
            "Decides the draws of intervals, the values that A is randomised to, and who swaps with whom; any number will do."
    )
    var seed: UInt64 = 0

    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "How a folder of PNG files is read") var folder: FolderOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup var report: ReportOptions

    var paths: CommandPaths {
        var paths = CommandPaths(output)
        for run in runs {
            paths.readRun(run)
            paths.read(run + "/sweep.json", run + "/find-another.json")
        }
        paths.read(data, option: .data)
        paths.read(masks, option: .masks)
        return paths
    }

    private static let mostRuns = 12
    private static let mostSamples = 200

    func validate() throws {
        guard 1...Self.mostRuns ~= runs.count else {
            throw ValidationError("give from one to \(Self.mostRuns) runs")
        }
        if data == nil, masks != nil || split != nil {
            throw ValidationError(
                "--masks and --split are about the dataset that the runs are measured on: give --data")
        }
        guard 0...Self.mostSamples ~= gallery else {
            throw ValidationError("--gallery must be from 0 to \(Self.mostSamples)")
        }
    }

    func run() throws {
        let dataset = try data.map { try folder.open($0) }
        if masks != nil { try dataset?.prepareFingerprint() }
        let masks = try dataset.flatMap { dataset in
            try self.masks.map { try MaskSet(path: $0, for: dataset) }
        }
        let series = try runs.filter(TrainingSeries.isSeries).map { try ReportedSeries(path: $0) }
        let runs = runs.flatMap { path in
            series.first { $0.name == path }.map { one in one.series.telling.map { path + "/" + $0 } } ?? [
                path
            ]
        }
        guard 1...Self.mostRuns ~= runs.count else {
            throw ValidationError(
                "the runs of these are \(runs.count), and a page has from 1 to \(Self.mostRuns): name the runs themselves"
            )
        }
        let maskHash = masks?.recordedHash
        let reported = try runs.map { path in
            var run = try ReportedRun(path: path)
            // A run of a series is made by the command that makes the series: it has splits and masks of its own.
            let folder = FileTree.folder(of: FileTree.folder(of: path))
            let series = TrainingSeries.description(of: folder)
            let description = series ?? run.description
            let isItsOwn = try run.run.datasetFingerprint == dataset?.fingerprint
            let areItsMasks = maskHash != nil && description["masks"]?["sha256"]?.stringValue == maskHash
            run.command =
                RunCommandLine(
                    path: series == nil ? path : folder, description: description,
                    dataset: isItsOwn ? data : nil, masks: areItsMasks ? self.masks : nil
                ).text
            if let dataset, dataset.labels != nil {
                Console.note(try run.run.remarks(onMeasuring: dataset))
            }
            return run
        }
        var options = RunReport.Options()
        options.split = split
        options.seed = seed
        options.galleryCount = gallery
        options.threadCount = threads.jobs
        options.title = title
        let line = ProgressLine()
        defer { line.clear() }
        let page = try RunReport(
            of: reported, dataset: dataset, masks: masks, options: options, series: series
        ) {
            line.show("samples", done: $0, of: $1)
        }
        line.clear()
        try page.write(to: output.output, force: output.force)
        let size = page.html.utf8.count
        if report.json {
            Console.print(json: [
                "output": .string(output.output), "bytes": .integer(size),
                "runs": .array(runs.map { .string($0) }),
            ])
        } else {
            Console.print(
                "\(output.output): \(runs.count) \(runs.count == 1 ? "run" : "runs"), \(Figure.bytes(size))")
        }
    }
}
