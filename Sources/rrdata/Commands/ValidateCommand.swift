internal import ArgumentParser
import RRDatasets
import RRSchemas

struct ValidateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Check that a dataset and its masks are sound and belong together.",
        discussion: """
            Structure, shapes, types, values, checksums of all images and the fingerprint; for each mask set also \
            that it was made for this dataset. Every fault is listed with what probably happened and the command \
            that repairs it. Exit code 1 where there are faults; warnings alone leave it at 0.

            Example:
              rrdata validate decoy.h5 masks.h5
            """)

    @Argument(help: "The dataset.")
    var dataset: String

    @Argument(help: "Mask sets of the dataset.")
    var masks: [String] = []

    @OptionGroup var report: ReportOptions

    func run() throws {
        let result = try ValidationReport(datasetPath: dataset, maskPaths: masks)
        if report.json {
            Console.print(result.json)
        } else {
            for finding in result.findings { Console.print(finding.description) }
            Console.print(summary(result))
        }
        if result.faultCount > 0 { throw ExitCode(1) }
    }

    private func summary(_ result: ValidationReport) -> String {
        var lines: [String] = []
        if let count = result.sampleCount { lines.append("\(result.datasetPath): \(count) samples") }
        for masks in result.masks {
            guard let annotated = masks.annotatedCount, let unannotated = masks.unannotatedCount else {
                continue
            }
            lines.append("\(masks.path): \(annotated) annotated samples, \(unannotated) unannotated")
        }
        let faults = result.faultCount == 1 ? "1 fault" : "\(result.faultCount) faults"
        let warnings = result.warningCount == 1 ? "1 warning" : "\(result.warningCount) warnings"
        lines.append("\(result.faultCount == 0 ? "sound" : "not sound"): \(faults), \(warnings)")
        return lines.joined(separator: "\n")
    }
}
