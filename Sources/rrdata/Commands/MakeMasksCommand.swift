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

            --per-class answers what speaks for and against each class: for every class k of the model a mask set of             all samples from the gradient of log p_k, in the folder -o, as class-0.h5, class-1.h5, …

            --smooth N ranks the mean of the gradients at N noisy copies of the image (SmoothGrad, Smilkov et al.             2017), which is steadier. The noise is normal, its deviation --smooth-noise times the range of values:             0 to 1 for integers, each image's own for floating-point numbers, before normalisation. It follows from             --seed, the sample and the copy's number alone. The class of --target predicted is that of the clean image.

            Examples:
              rrdata make-masks decoy.h5 --run plain --top-k 16 -o seen.h5
              rrdata make-masks decoy.h5 --run plain --threshold 0.67 --union seen.h5 -o more.h5
              rrdata make-masks photos.h5 --run run --top-fraction 0.05 --per-pixel --smooth 25 -o steady.h5
              rrdata make-masks photos.h5 --run run --top-k 50 --per-class -o classes
            """)

    @Argument(help: "The dataset, or a folder of PNG files.")
    var dataset: String

    @Option(name: .customLong("run"), help: "The run folder with the model.")
    var runFolder: String?

    @OptionGroup var trained: TrainedModelOptions

    @Flag(help: "Take the weights of the run's best epoch, best.safetensors, in place of the last step's.")
    var best = false

    @Option(help: "Take the K largest of all C·H·W elements of each sample; of equal ones the first.")
    var topK: Int?

    @Option(help: "Take this fraction of the elements of each sample.")
    var topFraction: Double?

    @Option(help: "Take all elements above this factor of the sample's largest.")
    var threshold: Double?

    @Flag(help: "Sum over channels first, and take whole pixels.")
    var perPixel = false

    @Option(
        help:
            "What is differentiated: sum-log-prob by default, as in the penalty; the paper's loop takes predicted."
    )
    var target: PenaltyTarget?

    @Flag(help: "Make a mask set for each class of the model, from the gradient of its log-probability.")
    var perClass = false

    @Option(help: "The number of noisy copies of each image whose gradients are averaged.")
    var smooth: Int?

    @Option(help: "The standard deviation of --smooth's noise as a share of the range of values.")
    var smoothNoise = 0.15

    @Option(help: "Decides the noise of --smooth.")
    var seed: UInt64 = 0

    @Option(help: "Masks of the same dataset that the new ones are joined with.")
    var union: String?

    @Option(help: "The split to make masks for, or all.")
    var split = "all"

    @OptionGroup var output: OutputOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup var report: ReportOptions

    func validate() throws {
        _ = try selection()
        if perClass, target != nil {
            throw ValidationError(
                "--per-class differentiates each class's log-probability: leave out --target")
        }
        if let smooth, smooth < 1 { throw ValidationError("--smooth must be at least 1") }
        guard smoothNoise > 0, smoothNoise.isFinite else {
            throw ValidationError("--smooth-noise must be a number above 0")
        }
    }

    func run() throws {
        let model = try trained.open(run: runFolder, pathName: "--run", best: best)
        let dataset = try Dataset(path: dataset)
        try dataset.prepareFingerprint()
        var making = MaskMaking(dataset: dataset, selection: try selection())
        making.target = target ?? .sumLogProbability
        making.isPerPixel = perPixel
        making.union = try union.map { try MaskSet(path: $0, for: dataset) }
        making.split = split
        making.threads = threads.jobs
        making.normalization = model.normalization
        making.smoothing = smooth.map {
            GradientSmoothing(copyCount: $0, deviation: smoothNoise, seed: seed)
        }
        // Double by default: near the K-th place float rounding would decide which element is taken.
        let masks =
            switch trained.precision ?? .double {
            case .float: try make(Float.self, making, model)
            case .double: try make(Double.self, making, model)
            }
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

    /// Writes a mask set, or one for each class.
    private func make<Scalar: NetworkScalar>(
        _: Scalar.Type, _ making: MaskMaking, _ model: Run
    ) throws -> [WrittenMasks] {
        let network = try Network<Scalar>(model.model)
        let parameters = try model.parameters(of: network)
        let hash = try model.weightsHash()
        let line = ProgressLine()
        defer { line.clear() }
        guard perClass else {
            return [
                try making.write(
                    network: network, parameters: parameters, provenance: provenance(hash, classIndex: nil),
                    path: output.output, force: output.force
                ) { line.show("samples", done: $0, of: $1) }
            ]
        }
        return try making.writeClasses(
            network: network, parameters: parameters, path: output.output, force: output.force,
            provenance: { provenance(hash, classIndex: $0) }
        ) { line.show("gradients", done: $0, of: $1) }
    }

    private func provenance(_ weightsHash: String, classIndex: Int?) -> JSONValue {
        var members: [String: JSONValue] = [
            "source": "make-masks", "weights_sha256": .string(weightsHash),
            "top_k": topK.map { .integer($0) } ?? .null,
            "top_fraction": topFraction.map { .number($0) } ?? .null,
            "threshold": threshold.map { .number($0) } ?? .null,
            "per_pixel": .bool(perPixel), "split": .string(split),
            "target": .string((target ?? .sumLogProbability).rawValue),
            "union": union.map { .string($0) } ?? .null,
            "precision": .string((trained.precision ?? .double).rawValue),
        ]
        if let classIndex {
            members["target"] = "class"
            members["class"] = .integer(classIndex)
        }
        if let smooth {
            members["smooth"] = [
                "copies": .integer(smooth), "noise": .number(smoothNoise), "seed": .string(String(seed)),
            ]
        }
        return .object(members)
    }

    private func json(_ sets: [WrittenMasks]) -> JSONValue {
        let first = sets.first
        func counts(_ masks: WrittenMasks) -> [String: JSONValue] {
            [
                "annotated": .integer(masks.annotatedCount),
                "zero_gradient": .integer(masks.zeroGradientCount), "ones": .integer(masks.oneCount),
            ]
        }
        var members: [String: JSONValue] = [
            "output": .string(output.output), "samples": .integer(first?.sampleCount ?? 0),
            "mask_shape": .array(first?.maskShape.dimensions.map { .integer($0) } ?? []),
        ]
        if perClass {
            members["classes"] = .array(
                sets.enumerated().map { index, masks in
                    let file: [String: JSONValue] = [
                        "class": .integer(index), "file": .string(MaskMaking.fileName(ofClass: index)),
                    ]
                    return .object(file.merging(counts(masks)) { first, _ in first })
                })
        } else if let first {
            members.merge(counts(first)) { first, _ in first }
        }
        return .object(members)
    }

    private func text(_ sets: [WrittenMasks]) -> String {
        sets.enumerated().map { index, masks in
            let name = perClass ? "/" + MaskMaking.fileName(ofClass: index) : ""
            let mean = Double(masks.oneCount) / Double(max(masks.annotatedCount, 1))
            var text =
                "\(output.output)\(name): masks for \(masks.annotatedCount) samples, \(Figure.text(mean)) of "
                + "\(masks.maskShape.elementCount) elements each on average"
            if masks.zeroGradientCount > 0 {
                text +=
                    "; \(masks.zeroGradientCount) of \(masks.sampleCount) samples got none, since their input "
                    + "gradient is zero"
            }
            return text
        }.joined(separator: "\n")
    }
}
