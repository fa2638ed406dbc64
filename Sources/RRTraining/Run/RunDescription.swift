internal import RRFormats
internal import RRNetworks
package import RRSchemas

/// What a run, a folder of find-another or a `model.json` holds, for people and programs to look at.
package enum RunDescription {
    /// Describes a run, a folder of find-another or a model; nil for anything else.
    ///
    /// - Throws: `FormatError` or `TrainingError` where a run or model is faulty.
    package static func json(of path: String) throws -> JSONValue? {
        switch FileTree.kind(of: path) {
        case .folder? where Run.isRun(path): try run(path)
        case .folder?: search(path)
        case .file? where path.hasSuffix(".json"): try model(path)
        case .pipe?: try pipedModel(path)
        default: nil
        }
    }

    /// Describes a model that a pipe brings; what is larger is none.
    private static func pipedModel(_ path: String) throws -> JSONValue? {
        let size = try InputFile(reading: path, pipeLimit: 1 << 31).size
        return size <= ModelFile.largestSize ? try model(path) : nil
    }

    private static func model(_ path: String) throws -> JSONValue? {
        guard
            let document = try? JSONValue(
                parsing: FileBytes.read(path, maximumSize: ModelFile.largestSize, takesPipe: true)),
            document["format"] == "rrdata.model"
        else { return nil }
        var members = try members(of: ModelFile.read(path), document)
        members["path"] = .string(path)
        return .object(members)
    }

    private static func members(
        of model: ModelDescription, _ document: JSONValue
    ) throws -> [String: JSONValue] {
        let layout = try Network<Float>(model).parameterLayout
        return [
            "format": "rrdata.model", "input": document["input"] ?? .null,
            "classes": document["classes"] ?? .null, "layers": document["layers"] ?? .null,
            "parameters": .integer(layout.count),
            "tensors": .array(
                layout.entries.map { entry in
                    ["name": .string(entry.name), "shape": .array(entry.shape.map { .integer($0) })]
                }),
        ]
    }

    private static func search(_ path: String) -> JSONValue? {
        guard var members = FindAnotherFolder.document(of: path)?.objectValue else { return nil }
        members["path"] = .string(path)
        return .object(members)
    }

    private static func run(_ path: String) throws -> JSONValue {
        let run = try Run(path: path)
        let configuration = try RunDocument.read(path + "/" + RunFile.configuration)
        let document = try RunDocument.read(path + "/" + RunFile.model)
        var members = configuration.objectValue ?? [:]
        members["path"] = .string(path)
        members["model"] = .object(try self.members(of: run.model, document))
        if let metrics = try? FileBytes.read(path + "/" + RunFile.metrics) {
            let lines = metrics.split(separator: UInt8(ascii: "\n"))
            let records = lines.suffix(2).compactMap { try? JSONValue(parsing: Array($0)) }
            members["metrics_lines"] = .integer(lines.count)
            if let last = records.last { members["last_metrics"] = last }
        }
        return .object(members)
    }
}
