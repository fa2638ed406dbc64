internal import RRDatasets
public import RRFormats
internal import RRNetworks
public import RRPreparation
internal import RRSchemas

extension ValidationReport {
    /// Judges a run, its JSON files against the schemas and its weights against its model, or a `model.json` by itself.
    ///
    /// - Parameters:
    ///   - runPath: the folder of a run, or a JSON file.
    ///   - datasetFingerprint: that of the dataset that the run should have been trained on; nil for any.
    /// - Throws: `FormatError` with the code `notFound`; everything else is a finding.
    public init(runPath: String, datasetFingerprint: String? = nil) throws(FormatError) {
        self.init(
            findings: try RunValidator.run(
                path: runPath, kind: RunValidator.Kind(of: runPath) ?? .model,
                datasetFingerprint: datasetFingerprint))
    }
}

/// Finds what is wrong with a run folder or a `model.json`.
package struct RunValidator {
    /// What a path is, as far as runs are concerned.
    package enum Kind: Sendable {
        /// A folder.
        case run
        /// A JSON file.
        case model

        /// The kind of a file or folder; nil for anything that is neither.
        package init?(of path: String) {
            switch FileTree.kind(of: path) {
            case .folder?: self = .run
            case .file?:
                guard path.hasSuffix(".json") else { return nil }
                self = .model
            case .pipe?, .socket?, .device?, nil: return nil
            }
        }
    }

    private let path: String
    private var findings: [Finding] = []

    /// Judges a run or a model.
    ///
    /// - Throws: `FormatError` with the code `notFound`; everything else is a finding.
    fileprivate static func run(
        path: String, kind: Kind, datasetFingerprint: String?
    ) throws(FormatError) -> [Finding] {
        guard FileTree.kind(of: path) != nil else {
            throw FormatError(.notFound, path: path, "there is no such file")
        }
        var validator = RunValidator(path: path)
        switch kind {
        case .run: validator.checkRun(datasetFingerprint)
        case .model: _ = validator.checkModel(at: path)
        }
        return validator.findings
    }

    private init(path: String) {
        self.path = path
    }

    private mutating func fault(
        _ code: Finding.Code, _ place: Finding.Place, _ message: Message, repair: Repair? = nil
    ) {
        findings.append(Finding(code, .fault, at: place, message, repair: repair))
    }

    private mutating func fault(
        _ code: Finding.Code, _ file: String, _ message: Message, repair: Repair? = nil
    ) {
        fault(code, Finding.Place(file: file), message, repair: repair)
    }

    private mutating func checkRun(_ datasetFingerprint: String?) {
        let names = [RunFile.configuration, RunFile.model, RunFile.weights, RunFile.metrics]
        let missing = names.filter { FileTree.kind(of: path + "/" + $0) != .file }
        guard missing.count < names.count else {
            fault(
                .wrongFormat, path, "the folder is no run: it has none of \(names.joined(separator: ", "))",
                repair: .train)
            return
        }
        for name in missing {
            fault(
                .missingFile, path + "/" + name, "the file is not there",
                repair: .restoreRun)
        }
        if !missing.contains(RunFile.configuration) { checkConfiguration(datasetFingerprint) }
        if !missing.contains(RunFile.metrics) { checkMetrics() }
        if !missing.contains(RunFile.model), let model = checkModel(at: path + "/" + RunFile.model),
            !missing.contains(RunFile.weights)
        {
            checkWeights(of: model)
        }
        checkSums()
    }

    /// Reports the files that are not what the run wrote, where nothing else is wrong with them.
    private mutating func checkSums() {
        checkSums(in: path)
        let continuation = path + "/" + RunFile.continuation
        if FileTree.kind(of: continuation) == .folder { checkSums(in: continuation) }
    }

    private mutating func checkSums(in path: String) {
        do throws(FormatError) {
            let changed = try RunChecksums.changedFiles(in: path).map { path + "/" + $0 }
            for file in changed where !findings.contains(where: { $0.place.file == file }) {
                fault(
                    .changedContent, file,
                    "this is not what the run wrote: \(RunChecksums.fileName) has another SHA-256",
                    repair: .restoreRun)
            }
        } catch {
            fault(.changedContent, error.path, error.message, repair: .restoreRun)
        }
    }

    /// Reads a JSON document; nil, with a finding, where there is none.
    private mutating func document(_ path: String) -> JSONValue? {
        do {
            return try JSONValue(parsing: FileBytes.read(path, maximumSize: RunDocument.largestSize))
        } catch let error as FormatError {
            fault(.unreadableFile, path, error.message)
        } catch {
            fault(.unreadableFile, path, "the file is not JSON: \(error)")
        }
        return nil
    }

    private mutating func checkConfiguration(_ datasetFingerprint: String?) {
        let path = path + "/" + RunFile.configuration
        guard let document = document(path) else { return }
        guard document["format"] == .string(RunConfiguration.format) else {
            fault(.wrongFormat, path, "“format” is not \(RunConfiguration.format)")
            return
        }
        guard let version = document["format_version"]?.stringValue,
            version.split(separator: ".").first == "1"
        else {
            fault(
                .unsupportedVersion, path, "“format_version” is not 1.x",
                repair: .useNewerRelease)
            return
        }
        do {
            _ = try RunConfiguration.normalization(in: document, path: path)
        } catch {
            fault(.schema, path, error.message)
        }
        guard let stored = document["dataset_fingerprint"]?.stringValue else {
            fault(.schema, path, "“dataset_fingerprint” is missing or no text")
            return
        }
        if let datasetFingerprint, stored != datasetFingerprint {
            fault(
                .otherDataset, path,
                "the run was trained on another dataset: its dataset_fingerprint is \(stored.prefix(12))…, but that "
                    + "of the dataset given is \(datasetFingerprint.prefix(12))…",
                repair: .giveDatasetOfRun)
        }
    }

    /// Checks every line of `metrics.jsonl`, and lists the first that breaks the schema.
    private mutating func checkMetrics() {
        let path = path + "/" + RunFile.metrics
        let bytes: [UInt8]
        do throws(FormatError) {
            bytes = try FileBytes.read(path)
        } catch {
            return fault(.unreadableFile, path, error.message)
        }
        var bad = 0
        var first: String?
        for (number, line) in bytes.split(separator: UInt8(ascii: "\n")).enumerated() {
            let problem: String?
            do {
                let violation = JSONSchema.metrics.validate(try JSONValue(parsing: Array(line))).first
                problem = violation.map { "\($0.path.isEmpty ? "" : $0.path + ": ")\($0.message)" }
            } catch {
                problem = "it is not JSON: \(error)"
            }
            guard let problem else { continue }
            bad += 1
            if first == nil { first = "line \(number + 1): \(problem)" }
        }
        guard let first else { return }
        fault(
            .schema, path,
            bad == 1 ? Message(first) : "\(first); and \(bad - 1) more lines (metrics.schema.json)")
    }

    /// Checks a model against the schema, then its layers against each other.
    private mutating func checkModel(at path: String) -> ModelDescription? {
        guard let document = document(path) else { return nil }
        // So many are refused before each is held against the schema.
        if let count = document["layers"]?.arrayValue?.count, count > ModelDescription.largestLayerCount {
            fault(
                .malformedModel, path,
                "it has \(count) layers; models of at most \(ModelDescription.largestLayerCount) are served")
            return nil
        }
        let violations = JSONSchema.model.validate(document)
        for violation in violations.prefix(10) {
            fault(
                .schema, path,
                "\(violation.message) (model.schema.json at \(violation.path.isEmpty ? "the top" : violation.path))"
            )
        }
        guard violations.isEmpty else { return nil }
        do {
            return try ModelFile.read(path)
        } catch let error as FormatError {
            fault(.malformedModel, Finding.Place(error.path, in: path), error.message)
        } catch {
            fault(.malformedModel, path, "\(error)")
        }
        return nil
    }

    private mutating func checkWeights(of model: ModelDescription) {
        let path = path + "/" + RunFile.weights
        do {
            let network = try Network<Double>(model)
            let parameters = try WeightsFile.read(path, layout: network.parameterLayout, as: Double.self)
            for entry in parameters.layout.entries where !parameters.values(of: entry).allSatisfy(\.isFinite)
            {
                fault(
                    .notFinite, Finding.Place(file: path, array: entry.name),
                    "not every weight is a finite number: the training diverged",
                    repair: .trainMoreGently)
            }
        } catch let error as FormatError {
            fault(
                .wrongWeights, Finding.Place(error.path, in: path), error.message, repair: .restoreWeights)
        } catch {
            fault(.wrongWeights, path, "\(error)")
        }
    }
}
