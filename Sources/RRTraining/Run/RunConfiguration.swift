package import RRDatasets
internal import RRExplanation
internal import RRFormats
internal import RRNetworks
internal import RRSchemas
internal import RRStreaming
internal import RRTensor

/// What `config.json` records: every option, the seeds, the versions and the fingerprints of a run.
enum RunConfiguration {
    static let format = "rrdata.run"
    static let formatVersion = "1.0"

    /// - Parameters:
    ///   - lambda1: the weight of the penalty that the run used, also where it was chosen automatically.
    ///   - classWeights: those of the cross-entropy, likewise.
    /// - Throws: `FormatError` where the file with the initial weights cannot be read.
    static func json(
        _ options: TrainingOptions, dataset: Dataset, split: String, masks: MaskSet?, lambda1: Double,
        normalization: InputNormalization?, classWeights: [Double]?, validation: ValidationSource?
    ) throws -> JSONValue {
        var record = options.json(split: split, lambda1: lambda1, hasMasks: masks != nil)
        record["class_weights"] = classWeights.map { .array($0.map { .number($0) }) } ?? .null
        record["validation"] = validation.map { .string($0.split) } ?? .null
        record["validation_file"] = validation?.path.map { .string($0) } ?? .null
        record["validation_fingerprint"] =
            try validation?.path == nil
            ? .null : validation.map { .string(try $0.dataset.fingerprint) } ?? .null
        record["init_sha256"] =
            try options.initialWeights.map {
                .string(try options.initialHash ?? SHA256Hasher.hash(ofFileAt: $0))
            } ?? .null
        return [
            "format": .string(format),
            "format_version": .string(formatVersion),
            "creator": .string(Dataset.creator),
            "linear_algebra_kernel": .string(LinearAlgebra.kernelName),
            "dataset_fingerprint": .string(try dataset.fingerprint),
            "class_names": dataset.classNames.map { .array($0.map { .string($0) }) } ?? .null,
            "masks": masks.map {
                ["annotated": .integer($0.annotatedCount), "sha256": .string(hash(of: $0))]
            } ?? .null,
            "normalization": normalization.map(json) ?? .null,
            "options": .object(record),
        ]
    }

    /// Checks that work which goes on uses the matrix kernels that it was started with.
    ///
    /// - Throws: `TrainingError` with the code `invalidOption`.
    static func checkKernel(
        _ wanted: [String: JSONValue], startedWith configuration: JSONValue
    ) throws(TrainingError) {
        let name = "linear_algebra_kernel"
        guard configuration[name] != wanted[name] else { return }
        throw TrainingError(
            .invalidOption, .option(.resumes),
            "goes on to the same last bit only with the matrix kernels that the run was started with, "
                + "\(configuration[name]?.stringValue ?? "unknown"): set OPENBLAS_CORETYPE to that name, or start "
                + "anew with \(option: .force)")
    }

    /// SHA-256 over the rows as int64, the shape of a mask and the bits of all masks.
    fileprivate static func hash(of masks: MaskSet) -> String {
        var hasher = SHA256Hasher()
        (masks.rows + masks.maskShape.dimensions).withUnsafeBytes { hasher.update($0) }
        masks.bits.withUnsafeBytes { hasher.update($0) }
        return hasher.finalize()
    }

    private static func json(_ normalization: InputNormalization) -> JSONValue {
        [
            "means": .array(normalization.means.map { .number(Double($0)) }),
            "standard_deviations": .array(normalization.standardDeviations.map { .number(Double($0)) }),
        ]
    }

    /// Reads the normalisation that a `config.json` records; nil for none.
    ///
    /// - Throws: `TrainingError` with the code `malformedRun`.
    static func normalization(in configuration: JSONValue, path: String) throws(TrainingError)
        -> InputNormalization?
    {
        guard let record = configuration["normalization"], record != .null else { return nil }
        func numbers(_ name: String) -> [Float]? {
            record[name]?.arrayValue?.compactMap(\.doubleValue).map { Float($0) }
        }
        guard let means = numbers("means"), let deviations = numbers("standard_deviations"),
            let normalization = try? InputNormalization(means: means, standardDeviations: deviations)
        else {
            throw TrainingError(
                .malformedRun, .file(path),
                "\"normalization\" must be means and standard_deviations, one a channel")
        }
        return normalization
    }
}

extension RunConfiguration {
    /// Reads how a run resized and cropped images; nil where it did not.
    ///
    /// - Throws: `TrainingError` with the code `malformedRun`.
    static func resizeCrop(in configuration: JSONValue, path: String) throws(TrainingError) -> ResizeCrop? {
        guard let record = configuration["options"]?["resize_crop"], record != .null else { return nil }
        guard let resizeCrop = record.stringValue.flatMap({ ResizeCrop($0) }) else {
            throw TrainingError(
                .malformedRun, .file(path),
                "\"resize_crop\" must be the shorter side and what is cut from it, as 256:224x224")
        }
        return resizeCrop
    }
}

extension TrainingOptions {
    /// Every option that decides the outcome, by the name that `config.json` gives it.
    fileprivate func json(split: String, lambda1: Double, hasMasks: Bool) -> [String: JSONValue] {
        // What a run of an earlier release cannot have been given is recorded where it is, so that it goes on.
        var recent: [String: JSONValue] = [:]
        recent["unfreeze_after"] = optimization.frozenEpochs.map { .integer($0) }
        recent["head_learning_rate"] = optimization.headLearningRate.map { .number($0) }
        recent["head"] = head.map { .string($0.rawValue) }
        if case .counterexamples(let options) = loss.guidance {
            recent["augment_fill"] = options.fill == .uniform ? nil : .string(options.fill.rawValue)
            recent["augment_place"] = options.place == .beside ? nil : .string(options.place.rawValue)
            recent["augment_share"] = options.share == 1 ? nil : .number(options.share)
            recent["consistency"] = options.consistency == 0 ? nil : .number(options.consistency)
        }
        recent["attribution"] =
            loss.attribution == .inputGradient ? nil : .string(loss.attribution.description)
        recent["class_weights_by_group"] = loss.classWeights == .groups ? true : nil
        recent["group_dro"] = loss.groupStepSize.map { .number($0) }
        recent["balance"] = stream.balance.map { .string($0.text) }
        recent["exact"] = isExact ? .bool(true) : nil
        recent["resize_crop"] = stream.resizeCrop.map { .string($0.text) }
        return recent.merging(established(split: split, lambda1: lambda1, hasMasks: hasMasks)) { first, _ in
            first
        }
    }

    private func established(split: String, lambda1: Double, hasMasks: Bool) -> [String: JSONValue] {
        [
            "lambda1": .number(lambda1),
            "lambda1_automatic": .bool(loss.lambda1 == .automatic && hasMasks),
            "lambda1_warmup": .integer(loss.lambda1WarmupSteps),
            "guidance": .string(loss.guidance.name),
            "pgd_steps": loss.guidance.adversary.map { .integer($0.stepCount) } ?? .null,
            "pgd_radius": loss.guidance.adversary.map { .number($0.radius) } ?? .null,
            "pgd_step_size": loss.guidance.adversary.map { .number($0.stepSize) } ?? .null,
            "penalty_target": .string(loss.penaltyTarget.rawValue),
            "penalty_reduction": .string(loss.penaltyReduction.rawValue),
            "optimizer": .string(optimization.optimizer.rawValue),
            "learning_rate": .number(optimization.learningRate),
            "momentum": .number(optimization.momentum),
            "nesterov": .bool(optimization.isNesterov),
            "weight_decay": .number(optimization.weightDecay),
            "schedule": .string(optimization.schedule.kind.rawValue),
            "schedule_epochs": optimization.schedule.stepEpochs.map { .integer($0) } ?? .null,
            "schedule_factor": .number(optimization.schedule.factor),
            "warmup_steps": .integer(optimization.schedule.warmupSteps),
            "clip_norm": optimization.largestNorm.map { .number($0) } ?? .null,
            "label_smoothing": .number(loss.labelSmoothing),
            "class_weights_automatic": .bool(loss.classWeights == .automatic),
            "freeze": .array(optimization.frozenLayers.map { .string($0) }),
            "precision": .string(precision.rawValue),
            "normalize": .string(normalization.name),
            "batch_size": .integer(stream.batchSize),
            "epochs": .integer(stream.epochs),
            "seed": .string(String(stream.seed)),
            "shuffle": .bool(stream.isShuffled),
            "drop_last": .bool(stream.dropsLast),
            "annotated_fraction": stream.annotatedFraction.map { .number($0) } ?? .null,
            "augment": stream.augmentation.map { .string($0.text) } ?? .null,
            "split": .string(split),
            "best_metric": .string(bestMetric.rawValue),
            "patience": patience.map { .integer($0) } ?? .null,
            "collect_masks": collection.map { .string($0.selection.description) } ?? .null,
            "init": initialWeights.map { .string($0) } ?? .null,
        ]
    }
}

extension Guidance {
    /// The name on the command line.
    var name: String {
        switch self {
        case .rightReasons: "rrr"
        case .counterexamples(let options): options.countsCrossEntropy ? "augment" : "consistency"
        case .adversarial: "pgd"
        case .inputGradient: "input-gradient"
        }
    }

    /// Whether changed images have random values.
    var isRandom: Bool { if case .counterexamples = self { true } else { false } }

    fileprivate var adversary: AdversaryOptions? {
        if case .adversarial(let options) = self { options } else { nil }
    }
}

extension NormalizationChoice {
    fileprivate var name: String {
        switch self {
        case .none: "none"
        case .automatic: "auto"
        case .fixed(let fixed):
            (fixed.means + fixed.standardDeviations).map { "\($0)" }.joined(separator: ",")
        }
    }
}

extension MaskSet {
    /// What `config.json` knows masks by: SHA-256 over the rows, the shape and the bits of all masks.
    package var recordedHash: String { RunConfiguration.hash(of: self) }
}
