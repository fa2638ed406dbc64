internal import ArgumentParser
import RRDatasets
import RRExplanation
import RRNetworks
import RRSchemas
import RRTensor
import RRTraining

struct MakeMasksCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "make-masks",
        abstract: "Make masks from a model's largest input gradients.",
        discussion: """
            A sample's mask marks the elements with the largest absolute input gradient: what the model looks at \
            now, and shall not look at next time.

            Examples:
              rrdata make-masks decoy.h5 --run plain --top-k 16 -o seen.h5
              rrdata make-masks decoy.h5 --run plain --threshold 0.67 --union seen.h5 -o more.h5
            """)

    @Argument(help: "The dataset.")
    var dataset: String

    @Option(name: .customLong("run"), help: "The run folder with the model.")
    var runFolder: String?

    @OptionGroup var trained: TrainedModelOptions

    @Option(help: "Take the K largest of all C·H·W elements of each sample; of equal ones the first.")
    var topK: Int?

    @Option(help: "Take this fraction of the elements of each sample.")
    var topFraction: Double?

    @Option(help: "Take all elements above this factor of the sample's largest.")
    var threshold: Double?

    @Flag(help: "Sum over channels first, and take whole pixels.")
    var perPixel = false

    @Option(help: "What is differentiated; the paper's loop takes predicted, its penalty sum-log-prob.")
    var target: PenaltyTarget = .sumLogProbability

    @Option(help: "Masks of the same dataset that the new ones are joined with.")
    var union: String?

    @Option(help: "The split to make masks for, or all.")
    var split = "all"

    @OptionGroup var output: OutputOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup var report: ReportOptions

    func validate() throws { _ = try selection() }

    func run() throws {
        let model = try trained.open(run: runFolder, pathName: "--run")
        let dataset = try Dataset(path: dataset)
        var making = MaskMaking(dataset: dataset, selection: try selection())
        making.target = target
        making.isPerPixel = perPixel
        making.union = try union.map { try MaskSet(path: $0, for: dataset) }
        making.split = split
        making.threads = threads.jobs
        making.normalization = model.normalization
        // Double by default: near the K-th place float rounding would decide which element is taken.
        let masks =
            switch trained.precision ?? .double {
            case .float: try make(Float.self, making, model)
            case .double: try make(Double.self, making, model)
            }
        try MaskSetWriter.write(
            bits: masks.bits, rows: masks.rows, maskShape: masks.maskShape,
            datasetFingerprint: dataset.fingerprint, provenance: provenance(try model.weightsHash()),
            path: output.output, force: output.force)
        if report.json { Console.print(json(masks)) } else { Console.print(text(masks)) }
    }

    private func selection() throws -> MaskSelection {
        switch (topK, topFraction, threshold) {
        case (let count?, nil, nil): .top(count: count)
        case (nil, let fraction?, nil): .topFraction(fraction)
        case (nil, nil, let factor?): .threshold(factor)
        default: throw ValidationError("give one of --top-k, --top-fraction and --threshold")
        }
    }

    private func make<Scalar: NetworkScalar>(
        _: Scalar.Type, _ making: MaskMaking, _ model: Run
    ) throws -> CollectedMasks {
        let network = try Network<Scalar>(model.model)
        let line = ProgressLine()
        defer { line.clear() }
        return try making.run(network: network, parameters: model.parameters(of: network)) { done, total in
            line.show("samples", done: done, of: total)
        }
    }

    private func provenance(_ weightsHash: String) -> JSONValue {
        [
            "source": "make-masks", "weights_sha256": .string(weightsHash),
            "top_k": topK.map { .integer($0) } ?? .null,
            "top_fraction": topFraction.map { .number($0) } ?? .null,
            "threshold": threshold.map { .number($0) } ?? .null,
            "per_pixel": .bool(perPixel), "target": .string(target.rawValue), "split": .string(split),
            "union": union.map { .string($0) } ?? .null,
            "precision": .string((trained.precision ?? .double).rawValue),
        ]
    }

    private func json(_ masks: CollectedMasks) -> JSONValue {
        [
            "output": .string(output.output), "samples": .integer(masks.sampleCount),
            "annotated": .integer(masks.annotatedCount),
            "zero_gradient": .integer(masks.zeroGradientCount),
            "mask_shape": .array(masks.maskShape.dimensions.map { .integer($0) }),
            "ones": .integer(masks.oneCount),
        ]
    }

    private func text(_ masks: CollectedMasks) -> String {
        let mean = Double(masks.oneCount) / Double(max(masks.annotatedCount, 1))
        var text =
            "\(output.output): masks for \(masks.annotatedCount) samples, \(Figure.text(mean)) of "
            + "\(masks.maskShape.elementCount) elements each on average"
        if masks.zeroGradientCount > 0 {
            text +=
                "; \(masks.zeroGradientCount) of \(masks.sampleCount) samples got none, since their input "
                + "gradient is zero"
        }
        return text
    }
}
