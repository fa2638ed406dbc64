internal import ArgumentParser
import RRDatasets
import RRSchemas

struct InfoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info",
        abstract: "Tell what a file holds.",
        discussion: """
            Shapes, types, classes, splits, layout, sizes and provenance of a dataset or a mask set; the arrays of \
            any other HDF5 file.

            Example:
              rrdata info fashion.h5
            """)

    @Argument(help: "A dataset, a mask set or another HDF5 file.")
    var file: String

    @OptionGroup var report: ReportOptions

    func run() throws {
        let description = try FileDescription(path: file)
        if report.json {
            Console.print(description.json)
        } else {
            Console.print(description.json.outline)
        }
    }
}

extension JSONValue {
    /// The document as indented lines of `name: value`, for people.
    fileprivate var outline: String { lines(indentation: "").joined(separator: "\n") }

    private func lines(indentation: String) -> [String] {
        guard case .object(let members) = self else { return [indentation + brief] }
        return members.sorted { $0.key < $1.key }.flatMap { name, value in
            if case .object(let inner) = value, !inner.isEmpty {
                return ["\(indentation)\(name):"] + value.lines(indentation: indentation + "  ")
            }
            return ["\(indentation)\(name): \(value.brief)"]
        }
    }

    private var brief: String {
        switch self {
        case .string(let text): text
        case .array(let items) where items.allSatisfy { $0.objectValue == nil }:
            items.map(\.brief).joined(separator: ", ")
        case .null: "none"
        default: serialized()
        }
    }
}
