internal import RRFormats
package import RRNetworks
package import RRSchemas
internal import RRTensor

/// What a run, a folder of find-another or a `model.json` holds, for people and programs to look at.
package enum RunDescription {
    /// Describes a run, a folder of find-another, a model, or a network by its name where there is no such file; nil for
    /// anything else.
    ///
    /// - Throws: `FormatError` or `TrainingError` where a run or model is faulty.
    package static func json(of path: String) throws -> JSONValue? {
        switch FileTree.kind(of: path) {
        case .folder? where Run.isRun(path): try run(path)
        case .folder?: search(path)
        case .file? where path.hasSuffix(".json"): try model(path)
        case .pipe?: try pipedModel(path)
        case nil: try BuiltInModel(rawValue: path).map(builtIn)
        default: nil
        }
    }

    /// Describes a network that another program's file holds.
    ///
    /// - Parameter notes: what was read otherwise than it stands in the file.
    package static func json(
        of model: ModelDescription, path: String, notes: [String]
    ) throws -> JSONValue {
        let document = try JSONValue(parsing: ModelFile.bytes(of: model))
        var members = try members(of: model, document)
        members["path"] = .string(path)
        members["notes"] = .array(notes.map { .string($0) })
        return .object(members)
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

    /// Describes a network for the images that it is known for: torchvision's for ImageNet, the others for MNIST.
    private static func builtIn(_ model: BuiltInModel) throws -> JSONValue {
        let isLarge = model.isFromTorchvision
        let input = try ImageShape(
            channels: isLarge ? 3 : 1, height: isLarge ? 224 : 28, width: isLarge ? 224 : 28)
        let description = model.description(input: input, classCount: isLarge ? 1000 : 10)
        let document = try JSONValue(parsing: ModelFile.bytes(of: description))
        var members = try members(of: description, document)
        members["name"] = .string(model.rawValue)
        return .object(members)
    }

    private static func members(
        of model: ModelDescription, _ document: JSONValue
    ) throws -> [String: JSONValue] {
        let network = try Network<Float>(model)
        let layout = network.parameterLayout
        let nodes = network.nodes
        let operationCount = nodes.reduce(0) { sum, node in
            let (next, overflow) = sum.addingReportingOverflow(node.operationCount)
            return overflow ? .max : next
        }
        return [
            "format": "rrdata.model", "input": document["input"] ?? .null,
            "classes": document["classes"] ?? .null, "layers": document["layers"] ?? .null,
            "parameters": .integer(layout.count),
            "trained_parameters": .integer(layout.trainedRanges().reduce(0) { $0 + $1.count }),
            "flop": .integer(operationCount),
            "nodes": .array(
                nodes.map { node in
                    let shape = node.isFlat ? [node.output.elementCount] : node.output.dimensions
                    return [
                        "place": .string(node.location), "layer": .string(node.layer),
                        "output": .array(shape.map { .integer($0) }),
                        "parameters": .integer(node.parameterCount), "flop": .integer(node.operationCount),
                    ]
                }),
            "tensors": .array(
                layout.entries.map { entry in
                    ["name": .string(entry.name), "shape": .array(entry.shape.map { .integer($0) })]
                }),
        ]
    }

    private static func search(_ path: String) -> JSONValue? {
        guard var members = SeriesFolder<FindAnotherRound>.document(of: path)?.objectValue else { return nil }
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
