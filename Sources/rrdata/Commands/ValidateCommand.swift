internal import ArgumentParser
import RRDatasets
import RRFormats
import RRPreparation
import RRTraining

struct ValidateCommand: PathCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Check that datasets, masks, models and runs are sound and belong together.",
        discussion: """
            Structure against the schema, shapes, types, values, ids, labels, splits, checksums and the fingerprint; \
            for each mask set also that it was made for this dataset; of a run its JSON files, and its weights \
            against its model. Every fault is listed with what probably happened and the command that repairs it. \
            All masks are read, and of the images 256 MB, spread evenly; --deep reads every image. Exit code 1 where \
            there are faults; warnings alone leave it at 0.

            Examples:
              rrdata validate decoy.h5 masks.h5
              rrdata validate decoy.h5 masks.h5 --deep --json
              rrdata validate run
              rrdata validate model.json

            The codes of findings, which --json has in “code”:
            \(Finding.Code.table)
            """)

    @Argument(help: "A dataset; or a run folder or a model.json by itself.")
    var file: String

    @Argument(help: "Mask sets of the dataset, and runs that were trained on it.")
    var others: [String] = []

    @Flag(help: "Read every image and compare its checksum.")
    var deep = false

    @OptionGroup var report: ReportOptions

    var paths: CommandPaths {
        var paths = CommandPaths()
        for path in [file] + others { paths.read(path) }
        return paths
    }

    func run() throws {
        var (dataset, masks, runs): (String?, [String], [String]) = (nil, [], [])
        for (position, path) in ([file] + others).enumerated() {
            if RunValidator.Kind(of: path) != nil {
                runs.append(path)
            } else if position == 0 {
                dataset = path
            } else {
                masks.append(path)
            }
        }
        guard dataset != nil || masks.isEmpty else {
            throw ValidationError("masks are judged with their dataset, which comes first")
        }
        var result = try dataset.map {
            try ValidationReport(
                datasetPath: $0, maskPaths: masks,
                imageByteLimit: deep ? .max : ValidationReport.quickImageByteCount)
        }
        for path in runs {
            let run = try ValidationReport(
                runPath: path, datasetFingerprint: result?.dataset?.fingerprint)
            result?.add(run)
            result = result ?? run
        }
        guard let result else { return }
        if report.json { Console.print(json: result.json) } else { Console.print(Message(result.text)) }
        if !result.isSound { throw ExitCode(1) }
    }
}
