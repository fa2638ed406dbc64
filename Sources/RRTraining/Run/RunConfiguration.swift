internal import RRDatasets
internal import RRExplanation
internal import RRNetworks
internal import RRSchemas
internal import RRStreaming

/// What `config.json` records: every option, the seeds, the versions and the fingerprints of a run.
enum RunConfiguration {
    static let format = "rrdata.run"
    static let formatVersion = "1.0"

    /// - Parameter lambda1: the weight of the penalty that the run used, also where it was chosen automatically.
    static func json(
        _ options: TrainingOptions, dataset: Dataset, split: String, masks: MaskSet?, lambda1: Double,
        normalization: InputNormalization?
    ) -> JSONValue {
        [
            "format": .string(format),
            "format_version": .string(formatVersion),
            "creator": .string(Dataset.creator),
            "linear_algebra_kernel": .string(LinearAlgebra.kernelName),
            "dataset_fingerprint": .string(dataset.fingerprint),
            "masks": masks.map { ["annotated": .integer($0.annotatedCount)] } ?? .null,
            "normalization": normalization.map(json) ?? .null,
            "options": [
                "lambda1": .number(lambda1),
                "lambda1_automatic": .bool(options.lambda1 == .automatic && masks != nil),
                "penalty_target": .string(options.penaltyTarget.rawValue),
                "penalty_reduction": .string(options.penaltyReduction.rawValue),
                "optimizer": .string(options.optimizer.kind.rawValue),
                "learning_rate": .number(options.optimizer.learningRate),
                "momentum": .number(options.optimizer.momentum),
                "weight_decay": .number(options.optimizer.weightDecay),
                "precision": .string(options.precision.rawValue),
                "batch_size": .integer(options.batchSize),
                "epochs": .integer(options.epochs),
                "seed": .string(String(options.seed)),
                "shuffle": .bool(options.isShuffled),
                "drop_last": .bool(options.dropsLast),
                "augment": options.augmentation.map { .string($0.text) } ?? .null,
                "split": .string(split),
                "validation": options.validationSplit.map { .string($0) } ?? .null,
                "init": options.initialWeights.map { .string($0) } ?? .null,
            ],
        ]
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
                .malformedRun, path, "\"normalization\" must be means and standard_deviations, one a channel")
        }
        return normalization
    }
}
