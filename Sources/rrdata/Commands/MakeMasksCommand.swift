internal import ArgumentParser
import RRDatasets
import RRExplanation
import RRNetworks
import RRPreparation
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

            --per-class answers what speaks for and against each class: for every class k of the model a mask set of \
            all samples from the gradient of log p_k, in the folder -o, as class-0.h5, class-1.h5, …

            --smooth N ranks the mean of the gradients at N noisy copies of the image (SmoothGrad, Smilkov et al. \
            2017), which is steadier. The noise is normal, its deviation --smooth-noise times the range of values: \
            0 to 1 for integers, each image's own for floating-point numbers, before normalisation. It follows from \
            --seed, the sample and the copy's number alone. The class of --target predicted is that of the clean image.

            --gradients takes what another program computed, gradients or other attributions, in place of a model: \
            an NPY file with a row for each sample of the dataset, or of --split in its order, of the images' shape \
            (C, H, W), or (H, W) for whole pixels. Their absolute values are ranked as they are.

            Examples:
              rrdata make-masks decoy.h5 --run plain --top-k 16 -o seen.h5
              rrdata make-masks decoy.h5 --run plain --threshold 0.67 --union seen.h5 -o more.h5
              rrdata make-masks photos.h5 --run run --top-fraction 0.05 --per-pixel --smooth 25 -o steady.h5
              rrdata make-masks photos.h5 --run run --top-k 50 --per-class -o classes
              rrdata make-masks photos.h5 --gradients gradients.npy --top-k 50 -o theirs.h5
            """)

    @Argument(help: "The dataset, or a folder of PNG files.")
    var dataset: String

    @Option(name: .customLong("run"), help: "The run folder with the model.")
    var runFolder: String?

    @OptionGroup var trained: TrainedModelOptions

    @Flag(help: "Take the weights of the run's best epoch, best.safetensors, in place of the last step's.")
    var best = false

    @Option(help: "A file with a gradient for each sample, in place of a model.")
    var gradients: String?

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

    @Option(
        help: "The standard deviation of --smooth's noise as a share of the range of values. (default: 0.15)")
    var smoothNoise: Double?

    @Option(help: "Decides the noise of --smooth. (default: 0)")
    var seed: UInt64?

    @Option(help: "Masks of the same dataset that the new ones are joined with.")
    var union: String?

    @Option(help: "The split to make masks for, or all.")
    var split = "all"

    @OptionGroup var output: OutputOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup var report: ReportOptions

    func validate() throws {
        _ = try selection()
        if gradients != nil {
            let isGiven = [
                ("--run", runFolder != nil), ("--model", trained.model != nil),
                ("--weights", trained.weights != nil), ("--best", best),
                ("--precision", trained.precision != nil), ("--target", target != nil),
                ("--per-class", perClass), ("--smooth", smooth != nil),
            ]
            if let (option, _) = isGiven.first(where: { $0.1 }) {
                throw ValidationError("--gradients are ranked as they are: leave out \(option)")
            }
        } else if runFolder == nil, trained.model == nil, trained.weights == nil {
            throw ValidationError("give --run, or --model and --weights, or --gradients")
        }
        if perClass, target != nil {
            throw ValidationError(
                "--per-class differentiates each class's log-probability: leave out --target")
        }
        guard let smooth else {
            guard smoothNoise == nil, seed == nil else {
                throw ValidationError("--smooth-noise and --seed go with --smooth")
            }
            return
        }
        guard smooth >= 1 else { throw ValidationError("--smooth must be at least 1") }
        if let smoothNoise, !(smoothNoise > 0 && smoothNoise.isFinite) {
            throw ValidationError("--smooth-noise must be a number above 0")
        }
    }

    func run() throws {
        let masks = if let gradients { [try rank(gradients)] } else { try explain() }
        let made = MaskMakingReport(path: output.output, sets: masks, isPerClass: perClass)
        if report.json { Console.print(made.json) } else { Console.print(made.text) }
    }

    /// The loop without what only a model needs.
    private func making(for dataset: Dataset) throws -> MaskMaking {
        try dataset.prepareFingerprint()
        var making = MaskMaking(dataset: dataset, selection: try selection())
        making.isPerPixel = perPixel
        making.union = try union.map { try MaskSet(path: $0, for: dataset) }
        making.split = split
        making.threads = threads.jobs
        return making
    }

    /// Writes the mask set of a file of gradients.
    private func rank(_ path: String) throws -> WrittenMasks {
        let dataset = try Dataset(path: dataset)
        let gradients = try StoredGradients(path: path, for: dataset, split: split)
        let line = ProgressLine()
        defer { line.clear() }
        let origin: [String: JSONValue] = [
            "gradients": .string(path), "gradients_sha256": .string(try gradients.hash()),
            "per_pixel": .bool(perPixel || gradients.isPerPixel),
        ]
        return try making(for: dataset).write(
            gradients: gradients, provenance: provenance(origin), path: output.output, force: output.force
        ) { line.show("samples", done: $0, of: $1) }
    }

    /// Writes the mask set of a model, or one for each of its classes.
    private func explain() throws -> [WrittenMasks] {
        let model = try trained.open(run: runFolder, pathName: "--run", best: best)
        var making = try making(for: try Dataset(path: dataset))
        making.target = target ?? .sumLogProbability
        making.normalization = model.normalization
        making.smoothing = smoothing
        // Double by default: near the K-th place float rounding would decide which element is taken.
        return switch trained.precision ?? .double {
        case .float: try explain(Float.self, making, model)
        case .double: try explain(Double.self, making, model)
        }
    }

    private func selection() throws -> MaskSelection {
        switch (topK, topFraction, threshold) {
        case (let count?, nil, nil): .top(count: count)
        case (nil, let fraction?, nil): .topFraction(fraction)
        case (nil, nil, let factor?): .threshold(factor)
        default: throw ValidationError("give one of --top-k, --top-fraction and --threshold")
        }
    }

    private var smoothing: GradientSmoothing? {
        smooth.map {
            var smoothing = GradientSmoothing(copyCount: $0)
            smoothing.deviation = smoothNoise ?? smoothing.deviation
            smoothing.seed = seed ?? smoothing.seed
            return smoothing
        }
    }

    private func explain<Scalar: NetworkScalar>(
        _: Scalar.Type, _ making: MaskMaking, _ model: Run
    ) throws -> [WrittenMasks] {
        let network = try Network<Scalar>(model.model)
        let parameters = try model.parameters(of: network)
        let origin = try origin(of: model)
        let line = ProgressLine()
        defer { line.clear() }
        guard perClass else {
            return [
                try making.write(
                    network: network, parameters: parameters, provenance: provenance(origin),
                    path: output.output, force: output.force
                ) { line.show("samples", done: $0, of: $1) }
            ]
        }
        return try making.writeClasses(
            network: network, parameters: parameters, path: output.output, force: output.force,
            provenance: { index in
                let ofClass: [String: JSONValue] = ["target": "class", "class": .integer(index)]
                return provenance(origin.merging(ofClass) { $1 })
            }
        ) { line.show("gradients", done: $0, of: $1) }
    }

    /// What masks say of the model that they were made from.
    private func origin(of model: Run) throws -> [String: JSONValue] {
        var members: [String: JSONValue] = [
            "weights_sha256": .string(try model.weightsHash()),
            "target": .string((target ?? .sumLogProbability).rawValue),
            "precision": .string((trained.precision ?? .double).rawValue),
        ]
        if let smoothing {
            members["smooth"] = [
                "copies": .integer(smoothing.copyCount), "noise": .number(smoothing.deviation),
                "seed": .string(String(smoothing.seed)),
            ]
        }
        return members
    }

    /// What masks say of their making.
    private func provenance(_ origin: [String: JSONValue]) -> JSONValue {
        let members: [String: JSONValue] = [
            "source": "make-masks", "top_k": topK.map { .integer($0) } ?? .null,
            "top_fraction": topFraction.map { .number($0) } ?? .null,
            "threshold": threshold.map { .number($0) } ?? .null,
            "per_pixel": .bool(perPixel), "split": .string(split),
            "union": union.map { .string($0) } ?? .null,
        ]
        return .object(members.merging(origin) { $1 })
    }
}
