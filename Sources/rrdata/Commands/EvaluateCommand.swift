internal import ArgumentParser
import RRDatasets
import RRExplanation
import RRNetworks
import RRSchemas
import RRTraining

struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Measure a trained model: how often it is right, and for which reasons.",
        discussion: """
            Examples:
              rrdata evaluate right decoy.h5 --masks masks.h5
              rrdata evaluate photos.h5 --model model.json --weights weights.safetensors --split val --json

            With masks, gradient_share_inside_mask is the mean over annotated samples of the share of the input \
            gradient's absolute value that lies inside A.
            """)

    @Argument(help: "The run folder, and the dataset; the dataset alone with --model and --weights.")
    var inputs: [String]

    @OptionGroup var trained: TrainedModelOptions

    @Option(help: "The mask set that says which pixels are no valid reason.")
    var masks: String?

    @Option(help: "The split to measure on, or all; test where the dataset has splits, else all.")
    var split: String?

    @OptionGroup var threads: ThreadOptions
    @OptionGroup var report: ReportOptions

    func validate() throws {
        let expected = trained.model == nil && trained.weights == nil ? 2 : 1
        guard inputs.count == expected else {
            throw ValidationError(
                expected == 2
                    ? "give a run folder and a dataset" : "give the dataset alone with --model and --weights")
        }
    }

    func run() throws {
        let run = try trained.open(run: inputs.count == 2 ? inputs[0] : nil, pathName: "a run folder")
        let dataset = try Dataset(path: inputs[inputs.count - 1])
        let masks = try masks.map { try MaskSet(path: $0, for: dataset) }
        let evaluation =
            switch trained.precision ?? run.precision ?? .float {
            case .float: try evaluate(Float.self, run, dataset, masks)
            case .double: try evaluate(Double.self, run, dataset, masks)
            }
        if report.json { Console.print(evaluation.json) } else { Console.print(evaluation.text) }
    }

    private func evaluate<Scalar: NetworkScalar>(
        _: Scalar.Type, _ run: Run, _ dataset: Dataset, _ masks: MaskSet?
    ) throws -> Evaluation {
        let network = try Network<Scalar>(run.model)
        return try Evaluation(
            network: network, parameters: run.parameters(of: network), normalization: run.normalization,
            dataset: dataset, masks: masks, split: split, threads: threads.jobs)
    }
}

extension Evaluation {
    fileprivate var json: JSONValue {
        var object: [String: JSONValue] = [
            "samples": .integer(sampleCount), "accuracy": .number(accuracy),
            "cross_entropy": .number(crossEntropy), "per_class": .array(perClass.map(\.json)),
            "worst_class": worstClass?.json ?? .null,
            "confusion": confusion.map { .array($0.map { .array($0.map { .integer($0) }) }) } ?? .null,
        ]
        if let gradientShare { object["explanation"] = json(gradientShare) }
        return .object(object)
    }

    private func json(_ share: GradientShare) -> JSONValue {
        [
            "annotated_samples": .integer(share.sampleCount + share.zeroGradientCount),
            "unannotated_samples": .integer(unannotatedCount),
            "zero_gradient_samples": .integer(share.zeroGradientCount),
            "gradient_share_inside_mask": share.insideMask.map { .number($0) } ?? .null,
            "mask_share_of_area": share.maskedArea.map { .number($0) } ?? .null,
        ]
    }

    fileprivate var text: String {
        var lines = [
            "\(sampleCount) samples: accuracy \(Figure.percent(accuracy)), cross-entropy \(Figure.text(crossEntropy))"
        ]
        if let worstClass, perClass.count > 1 {
            lines.append("worst class: \(worstClass.name) at \(Figure.percent(worstClass.accuracy))")
        }
        let width = perClass.map(\.name.count).max() ?? 0
        for figures in perClass {
            let name = figures.name + String(repeating: " ", count: width - figures.name.count)
            lines.append("  \(name)  \(Figure.percent(figures.accuracy)) of \(figures.sampleCount)")
        }
        if let gradientShare { lines.append(text(gradientShare)) }
        return lines.joined(separator: "\n")
    }

    private func text(_ share: GradientShare) -> String {
        guard let inside = share.insideMask, let area = share.maskedArea else {
            return "no annotated sample has an input gradient to measure"
        }
        var line =
            "\(Figure.percent(inside)) of |input gradient| lies inside A, which covers \(Figure.percent(area)) of "
            + "the image (\(share.sampleCount) annotated samples)"
        if share.zeroGradientCount > 0 {
            line += "; \(share.zeroGradientCount) more have an input gradient of zero"
        }
        return line
    }
}

extension Evaluation.ClassFigures {
    fileprivate var json: JSONValue {
        [
            "class": .integer(index), "name": .string(name), "samples": .integer(sampleCount),
            "accuracy": .number(accuracy),
        ]
    }
}
