internal import ArgumentParser
import RRDatasets
import RRExplanation
import RRFormats
import RRReports
import RRSchemas
import RRTraining

struct PreviewCommand: PathCommand {
    static let configuration = CommandConfiguration(
        commandName: "preview",
        abstract: "Draw samples with their masks, and what models look at in them.",
        discussion: """
            A sheet has for each sample the image, with --masks the image with its mask as a line and a tint, and with --run a \
            heat map of |input gradient|, summed over channels, with the mask's line around. Below stand the id, the class, \
            and what each run takes the sample for, ✓ or ✗.

            Examples:
              rrdata preview decoy.h5 --masks masks.h5 -o sheet.png
              rrdata preview decoy.h5 --masks masks.h5 --run plain --run right --select inside --split test --count 12 -o worst.png
              rrdata preview decoy.h5 --select classes --count 20 --format svg -o classes.svg
              rrdata preview decoy.h5 --count 8 --terminal kitty

            Heat maps are cividis, from dark blue to yellow, which people who tell fewer colours apart see alike: the square \
            root of the share of the image's largest. Floating-point images outside 0 to 1 are shown from their smallest value \
            to their largest, transparent pixels on a chequered ground, images of five channels and more by their mean.

            PNG files have GNU Unifont's letters and the same bytes on every machine; what it lacks, such as emoji, is shown by \
            its number. Text in SVG is the viewer's.
            """)

    @Argument(help: "The dataset, or a folder of images.")
    var dataset: String

    @Option(help: "The mask set whose masks are drawn.")
    var masks: String?

    @Option(
        name: .customLong("run"),
        help: "A run folder, whose model's input gradients are drawn; several stand side by side.")
    var runs: [String] = []

    @Option(
        name: [.short, .long],
        help: "Where the sheet is written; needed unless it is shown with --terminal.")
    var output: String?

    @Flag(help: "Replace a sheet that exists.")
    var force = false

    @Option(help: "png, or svg, whose text can be searched and copied.")
    var format: SheetFormat = .png

    @Option(
        help:
            "Show the sheet in the terminal: kitty, iterm2 or sixel. Which one a terminal knows is not guessed."
    )
    var terminal: TerminalImage?

    @Option(
        help: ArgumentHelp(
            "Which samples: first, random by --seed, or as many of all classes; by the first --run loss, the largest −log p of their class, inside, the largest share of |gradient| in A, or confident, wrong and sure of it.",
            valueName: "first|random|classes|loss|inside|confident"))
    var select: SampleChoice.Order?

    @Option(help: "A text file with the ids of the samples, one a line, in place of --select.")
    var ids: String?

    @Option(help: "The largest number of samples. (default: 64, which can be looked at one by one)")
    var count: Int?

    @Option(help: "Decides which samples are drawn; the same number shows the same.")
    var seed: UInt64 = 0

    @Option(help: "The split to choose from, or all. (default: all, to miss none)")
    var split: String?

    @Option(
        help:
            "The longer side of a picture in pixels, 128 of which show where a mask ends; small images are enlarged by whole numbers."
    )
    var panelSize = ContactSheet.defaultPanelSize

    @Option(help: "Whose input gradient is drawn; the paper's is sum-log-prob.")
    var target: PenaltyTarget = .sumLogProbability

    @OptionGroup(title: "How a folder of PNG files is read") var folder: FolderOptions
    @OptionGroup var durability: DurabilityOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup var report: ReportOptions

    var paths: CommandPaths {
        var paths = CommandPaths(force: force)
        paths.read(dataset)
        paths.read(masks, option: .masks)
        for run in runs { paths.readRun(run) }
        paths.read(ids, option: .ids)
        paths.write(output, .output)
        return paths
    }

    private static let mostSamples = 10_000

    func validate() throws {
        guard (output == nil) != (terminal == nil) else {
            throw ValidationError("give either --output, or --terminal to show the sheet there")
        }
        if terminal != nil {
            guard !report.json, format == .png, !force else {
                throw ValidationError("--terminal takes neither --json, --format svg nor --force")
            }
        }
        if ids != nil, select != nil || count != nil || split != nil {
            throw ValidationError("--ids names the samples: leave out --select, --count and --split")
        }
        if let count, !(1...Self.mostSamples ~= count) {
            throw ValidationError("--count must be from 1 to \(Self.mostSamples)")
        }
        guard ContactSheet.panelSizes ~= panelSize else {
            throw ValidationError(
                "--panel-size must be from \(ContactSheet.panelSizes.lowerBound) to \(ContactSheet.panelSizes.upperBound)"
            )
        }
        if let select, select.needsRun, runs.isEmpty {
            throw ValidationError("--select \(select.rawValue) asks a model: give --run")
        }
        if select == .inside, masks == nil {
            throw ValidationError("--select inside asks what lies inside A: give --masks")
        }
    }

    func run() throws {
        let opened = try runs.map { (name: $0, run: try Run(path: $0)) }
        let dataset = try folder.open(dataset)
        if masks != nil { try dataset.prepareFingerprint() }
        let (rows, title) = try rows(of: dataset, opened.first?.run)
        let masks = try masks.map { try MaskSet(path: $0, for: dataset, keeping: rows) }
        if let masks, masks.annotatedCount == 0, !rows.isEmpty {
            Console.note("no mask marks a pixel of these samples")
        }
        let sheet = try ContactSheet(
            of: rows, in: dataset, masks: masks, runs: opened, title: title, panelSize: panelSize,
            target: target, threadCount: threads.jobs)
        if let terminal {
            try StandardOutput.print(raw: terminal.text(of: sheet))
            return
        }
        guard let output else { return }
        try sheet.write(to: output, isSVG: format == .svg, force: force)
        if report.json {
            Console.print(json: try json(rows, of: dataset, sheet))
        } else {
            Console.print("\(output): \(Message(title))")
        }
    }

    /// The samples to show, and what the sheet says that they are.
    private func rows(of dataset: Dataset, _ run: Run?) throws -> ([Int], String) {
        let name = dataset.path.split(separator: "/").last.map(String.init) ?? dataset.path
        if let ids {
            let rows = try SampleChoice.rows(ofIds: SampleOptions.lines(of: ids), in: dataset)
            return (rows, "\(name): \(rows.count) samples by id")
        }
        let order = select ?? .random
        let choice = SampleChoice(order, count: count ?? 64, seed: seed, split: split ?? "all")
        let line = ProgressLine()
        defer { line.clear() }
        let masks = try order == .inside ? masks.map { try MaskSet(path: $0, for: dataset) } : nil
        let rows = try choice.rows(in: dataset, run: run, masks: masks, threadCount: threads.jobs) {
            line.show("samples", done: $0, of: $1)
        }
        let total = try dataset.indices(inSplit: choice.split).count
        let part = choice.split == "all" ? "" : " of the split \(choice.split)"
        let how =
            switch order {
            case .first: "the first"
            case .random: "drawn by the seed \(seed)"
            case .classes: "of all classes, drawn by the seed \(seed)"
            case .loss: "with the largest loss of \(runs.first ?? "")"
            case .inside: "with most of |input gradient| of \(runs.first ?? "") inside A"
            case .confident: "taken for another class by \(runs.first ?? ""), surest first"
            }
        return (rows, "\(name): \(rows.count) of \(total) samples\(part), \(how)")
    }

    private func json(_ rows: [Int], of dataset: Dataset, _ sheet: ContactSheet) throws -> JSONValue {
        let samples = try rows.enumerated().map { place, row -> JSONValue in
            let sample = try dataset.sample(at: row)
            return [
                "id": .string(sample.id), "index": .integer(row),
                "label": sample.label.map { .string(sample.className ?? String($0)) } ?? .null,
                "predictions": .array(
                    zip(runs, sheet.predictions).map { run, predictions in
                        [
                            "run": .string(run), "prediction": .string(predictions[place].name),
                            "probability": .number(predictions[place].probability),
                        ]
                    }),
            ]
        }
        return [
            "output": .string(output ?? ""), "format": .string(format.rawValue), "samples": .array(samples),
        ]
    }
}

/// What a sheet is written as.
enum SheetFormat: String, ExpressibleByArgument, CaseIterable {
    case png
    case svg
}
