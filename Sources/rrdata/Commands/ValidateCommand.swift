internal import ArgumentParser
import RRDatasets
import RRPreparation
import RRSchemas
import RRTraining

struct ValidateCommand: ParsableCommand {
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
        let result = try dataset.map {
            try ValidationReport(
                datasetPath: $0, maskPaths: masks,
                imageByteLimit: deep ? .max : ValidationReport.quickImageByteCount)
        }
        var findings = result?.findings ?? []
        for path in runs {
            guard let kind = RunValidator.Kind(of: path) else { continue }
            findings += try RunValidator.run(
                path: path, kind: kind, datasetFingerprint: result?.facts.fingerprint)
        }
        let faultCount = findings.count { $0.severity == .fault }
        if report.json {
            Console.print(json(findings, result))
        } else {
            for finding in findings { Console.print(finding.description) }
            Console.print(summary(findings, result))
        }
        if faultCount > 0 { throw ExitCode(1) }
    }

    private func json(_ findings: [Finding], _ result: ValidationReport?) -> JSONValue {
        var members = result?.json.objectValue ?? [:]
        let faultCount = findings.count { $0.severity == .fault }
        members["valid"] = .bool(faultCount == 0)
        members["faults"] = .integer(faultCount)
        members["warnings"] = .integer(findings.count - faultCount)
        members["findings"] = .array(findings.map(\.json))
        return .object(members)
    }

    private func summary(_ findings: [Finding], _ result: ValidationReport?) -> String {
        var lines: [String] = []
        if let result, let count = result.sampleCount {
            let part = result.checkedImageCount < count ? ", \(result.checkedImageCount) images read" : ""
            lines.append("\(result.datasetPath): \(count) samples\(part)")
        }
        for masks in result?.masks ?? [] {
            guard let annotated = masks.annotatedCount, let unannotated = masks.unannotatedCount else {
                continue
            }
            lines.append("\(masks.path): \(annotated) annotated samples, \(unannotated) unannotated")
        }
        let faultCount = findings.count { $0.severity == .fault }
        let warningCount = findings.count - faultCount
        let faults = faultCount == 1 ? "1 fault" : "\(faultCount) faults"
        let warnings = warningCount == 1 ? "1 warning" : "\(warningCount) warnings"
        lines.append("\(faultCount == 0 ? "sound" : "not sound"): \(faults), \(warnings)")
        return lines.joined(separator: "\n")
    }
}
