import RRExplanation
import RRFormats
import RRReports
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
            "per_class": .array(evaluation.perClass.map(json(ofClass:))),
            "worst_class": evaluation.worstClass.map { Self.json($0, "class") } ?? .null,
            "confusion": evaluation.confusion.map { .array($0.map { .array($0.map { .integer($0) }) }) }
                ?? .null,
        ]
        if let groups = evaluation.perGroup {
            object["per_group"] = .array(groups.map { Self.json($0, "group") })
            object["worst_group"] = evaluation.worstGroup.map { Self.json($0, "group") } ?? .null
        }
        for (name, figure) in figures {
            object[name] = .figure(figure?.value)
            object["\(name)_interval"] = .figure(figure?.interval)
        }
        if let curves = evaluation.curves {
            object["curves"] = [
                "steps": .integer(curves.stepCount), "samples": .integer(curves.sampleCount),
                "deletion_area": .figure(curves.deletionArea),
                "insertion_area": .figure(curves.insertionArea),
                "deletion": .array(curves.deletion.map { .number($0) }),
                "insertion": .array(curves.insertion.map { .number($0) }),
            ]
        }
        object["explanation"] = explanation?.json
        return .object(object)
    }

    /// The figures of probabilities by their names.
    private var figures: [(name: String, figure: ClassificationFigures.Figure?)] {
        let figures = evaluation.classification
        return [
            ("balanced_accuracy", figures?.balancedAccuracy), ("macro_f1", figures?.macroF1),
            ("auroc", figures?.areaUnderCurve), ("average_precision", figures?.averagePrecision),
            ("expected_calibration_error", figures?.calibrationError), ("brier_score", figures?.brierScore),
        ]
    }

    private func json(ofClass part: Evaluation.PartFigures) -> JSONValue {
        guard case .object(var object) = Self.json(part, "class") else { return .null }
        let figures = evaluation.classification?.perClass[part.index]
        object["precision"] = .figure(figures?.precision)
        object["f1"] = .figure(figures?.f1)
        object["auroc"] = .figure(figures?.areaUnderCurve)
        object["average_precision"] = .figure(figures?.averagePrecision)
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
        lines += figureLines
        lines += Self.text(evaluation.perClass, worst: evaluation.worstClass, "class")
        lines += Self.text(evaluation.perGroup ?? [], worst: evaluation.worstGroup, "group")
        lines += explanation?.lines ?? []
        if let curves = evaluation.curves, let deletion = curves.deletionArea,
            let insertion = curves.insertionArea
        {
            lines.append(
                "deletion \(Figure.text(deletion)), insertion \(Figure.text(insertion)) in \(curves.stepCount) steps "
                    + "(\(curves.sampleCount) samples): low and high where the gradient ranks what the model looks at"
            )
        }
        return lines.joined(separator: "\n")
    }

    private var figureLines: [String] {
        let names = [
            "balanced accuracy", "macro F1", "AUROC", "average precision", "calibration error", "Brier score",
        ]
        let texts = zip(names, figures).compactMap { name, figure in
            figure.figure.map { "\(name) \(Figure.text($0.value))\(Figure.bounds($0.interval))" }
        }
        return stride(from: 0, to: texts.count, by: 2).map {
            "  " + texts[$0..<min($0 + 2, texts.count)].joined(separator: ", ")
        }
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
