import RRFormats
import RRSchemas
import RRTraining

/// What `evaluate` says.
struct EvaluationReport {
    let evaluation: Evaluation
    /// Nil where no masks were given.
    let explanation: ExplanationReport?

    var json: JSONValue {
        var object: [String: JSONValue] = [
            "samples": .integer(evaluation.sampleCount), "accuracy": .number(evaluation.accuracy),
            "accuracy_interval": .figure(evaluation.accuracyInterval),
            "cross_entropy": .number(evaluation.crossEntropy),
            "per_class": .array(evaluation.perClass.map { Self.json($0, "class") }),
            "worst_class": evaluation.worstClass.map { Self.json($0, "class") } ?? .null,
            "confusion": evaluation.confusion.map { .array($0.map { .array($0.map { .integer($0) }) }) }
                ?? .null,
        ]
        if let groups = evaluation.perGroup {
            object["per_group"] = .array(groups.map { Self.json($0, "group") })
            object["worst_group"] = evaluation.worstGroup.map { Self.json($0, "group") } ?? .null
        }
        object["explanation"] = explanation?.json
        return .object(object)
    }

    private static func json(_ part: Evaluation.PartFigures, _ kind: String) -> JSONValue {
        [
            kind: .integer(part.index), "name": .string(part.name), "samples": .integer(part.sampleCount),
            "accuracy": .number(part.accuracy), "interval": .figure(part.interval),
        ]
    }

    var text: String {
        var lines = [
            "\(evaluation.sampleCount) samples: accuracy \(Figure.percent(evaluation.accuracy))\(Figure.range(evaluation.accuracyInterval)), "
                + "cross-entropy \(Figure.text(evaluation.crossEntropy))"
        ]
        lines += Self.text(evaluation.perClass, worst: evaluation.worstClass, "class")
        lines += Self.text(evaluation.perGroup ?? [], worst: evaluation.worstGroup, "group")
        lines += explanation?.lines ?? []
        return lines.joined(separator: "\n")
    }

    private static func text(
        _ parts: [Evaluation.PartFigures], worst: Evaluation.PartFigures?, _ kind: String
    ) -> [String] {
        var lines: [String] = []
        if let worst, parts.count > 1 {
            lines.append("worst \(kind): \(worst.name.legible) at \(Figure.percent(worst.accuracy))")
        }
        let names = parts.map(\.name.legible)
        let width = names.map(\.count).max() ?? 0
        for (part, name) in zip(parts, names) {
            let name = name + String(repeating: " ", count: width - name.count)
            lines.append("  \(name)  \(Figure.percent(part.accuracy)) of \(part.sampleCount)")
        }
        return lines
    }
}
