internal import ArgumentParser
import RRDatasets
import RRExchange
import RRFormats
import RRPreparation
import RRReports
import RRSchemas
import RRTraining

struct InfoCommand: PathCommand {
    static let configuration = CommandConfiguration(
        commandName: "info",
        abstract: "Tell what a file holds.",
        discussion: """
            Shapes, types, classes, splits, layout, sizes and provenance of a dataset or a mask set; the arrays of \
            any other HDF5, NPY, NPZ or IDX file; the kind of a PNG; tensors of safetensors; images and categories \
            of COCO annotations; layers, shapes, parameters and floating-point operations of a model.json, of an ONNX file, or of a \
            network by its name; a run, with small curves of its training, the rounds of find-another, a folder of PNGs or \
            an exported folder.

            Examples:
              rrdata info fashion.h5
              rrdata info run/weights.safetensors --json
              rrdata info resnet18
            """)

    @Argument(
        help:
            "A file of any format that rrdata reads, a run folder, a folder of PNGs, the folder of an export, or the name of a network."
    )
    var file: String

    @OptionGroup var report: ReportOptions

    var paths: CommandPaths {
        var paths = CommandPaths()
        paths.read(file)
        return paths
    }

    func run() throws {
        let json =
            try onnxDescription() ?? RunDescription.json(of: file) ?? OtherFileDescription.json(
                of: file, words: \.commandLineText)
            ?? FileDescription(path: file).json
        if report.json {
            Console.print(json: json)
        } else {
            Console.print(
                Message(
                    (json.outline.split(separator: "\n").map(String.init) + curves).joined(separator: "\n")))
        }
    }

    /// How a run's training went, a small curve a line; nothing for anything else.
    private var curves: [String] {
        guard let metrics = try? Run(path: file).metrics() else { return [] }
        let curves: [(name: String, values: [Double])] = [
            ("loss", metrics.steps.map(\.loss)), ("cross-entropy", metrics.steps.map(\.crossEntropy)),
            ("penalty", metrics.steps.compactMap(\.penalty)),
            ("validation accuracy", metrics.epochs.compactMap { $0.validation?.accuracy }),
            ("worst group", metrics.epochs.compactMap { $0.validation?.worstGroupAccuracy }),
        ]
        let lines = curves.filter { $0.values.count > 1 }.map { curve in
            let (first, last) = (curve.values.first ?? 0, curve.values.last ?? 0)
            return
                "  \(TextCurve.text(of: curve.values))  \(curve.name), \(Figure.text(first)) to \(Figure.text(last))"
        }
        return lines.isEmpty ? [] : ["curves:"] + lines
    }
}

extension InfoCommand {
    /// Describes the network of an ONNX file; nil for any other.
    private func onnxDescription() throws -> JSONValue? {
        guard ImportedNetwork.isONNX(file), FileTree.kind(of: file) != nil else { return nil }
        let network = try ImportedNetwork(onnx: file)
        return try RunDescription.json(of: network.model, path: file, notes: network.notes)
    }
}

extension JSONValue {
    /// The document as indented lines for people: `name: value`, and a line for each part of a list.
    fileprivate var outline: String { lines(indentation: "").joined(separator: "\n") }

    private func lines(indentation: String) -> [String] {
        guard case .object(let members) = self else { return [indentation + brief] }
        return members.sorted { $0.key < $1.key }.flatMap { name, value in
            let deeper = indentation + "  "
            switch value {
            case .object(let inner) where !value.isFlat && !inner.isEmpty:
                return ["\(indentation)\(name.legible):"] + value.lines(indentation: deeper)
            case .array(let items) where items.contains { $0.objectValue != nil }:
                return ["\(indentation)\(name.legible):"] + items.map { deeper + $0.brief }
            default:
                return ["\(indentation)\(name.legible): \(value.brief)"]
            }
        }
    }

    /// Whether this fits a line: no member is an object or a list of them.
    private var isFlat: Bool {
        guard case .object(let members) = self else { return false }
        return members.values.allSatisfy { value in
            value.objectValue == nil && !(value.arrayValue?.contains { $0.objectValue != nil } ?? false)
        }
    }

    private var brief: String {
        switch self {
        case .string(let text): text.legible
        case .array(let items): "(" + items.map(\.brief).joined(separator: ", ") + ")"
        case .object(let members):
            members.sorted { $0.key < $1.key }.map { "\($0.legible) \($1.brief)" }.joined(separator: ", ")
        case .null: "none"
        default: serialized()
        }
    }
}
