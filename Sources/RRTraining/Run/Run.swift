public import RRExplanation
public import RRFormats
public import RRNetworks
internal import RRSchemas
public import RRStreaming

/// A trained model: a run folder, or a `model.json` with weights of any origin.
public struct Run: Sendable {
    public let model: ModelDescription
    /// The number type that the run computed in; nil where weights came without a run.
    public let precision: Precision?
    /// What is done to images before they reach the network; nil for nothing.
    public let normalization: InputNormalization?
    /// How images are resized and cropped before that, as the run's were where they were not augmented; nil for not at all.
    public var resizeCrop: ResizeCrop?
    /// The file with the weights: safetensors, or of a model without a run also PyTorch's or NumPy's.
    public let weightsPath: String
    /// How the run weighed the penalty; nil where weights came without a run, or it had another term in its place.
    public let penaltyWeight: PenaltyWeight?

    /// The fingerprint of the dataset that the run was trained on; nil where weights came without a run.
    public let datasetFingerprint: String?
    /// The split that the run was trained on, or `all`; nil where weights came without a run.
    public let split: String?
    /// What decided the run's random numbers; nil where weights came without a run.
    public let seed: UInt64?
    /// What the classes are called, as far as the run says.
    let classNames: ClassMatch.Names
    /// The run folder; nil where weights came without one.
    let folder: String?
    /// The tensors of a file that holds a network too; nil where they are read from `weightsPath`.
    private let tensors: [SafeTensor]?

    /// How a run weighed the penalty against the cross-entropy.
    public struct PenaltyWeight: Equatable, Sendable {
        /// λ1, at least 0.
        public var lambda1: Double
        /// What the penalties of a batch were divided by.
        public var reduction: PenaltyReduction
        /// The samples of a batch.
        public var batchSize: Int
        /// Whose input gradient was penalised.
        public var target: PenaltyTarget

        public init(
            lambda1: Double, reduction: PenaltyReduction = .mean, batchSize: Int = 1,
            target: PenaltyTarget = .sumLogProbability
        ) {
            self.lambda1 = lambda1
            self.reduction = reduction
            self.batchSize = batchSize
            self.target = target
        }
    }

    /// Opens a run folder.
    ///
    /// - Parameters:
    ///   - path: the run folder.
    ///   - best: whether the weights are those of the best epoch of the validation, else the last step's.
    /// - Throws: `FormatError` where a file is missing or is not what its name says, and `TrainingError` with the
    ///   code `malformedRun` where `config.json` has no sense.
    public init(path: String, best: Bool = false) throws {
        let configuration = try Self.configuration(of: path)
        precision = configuration["options"]?["precision"]?.stringValue.flatMap(Precision.init(rawValue:))
        normalization = try RunConfiguration.normalization(
            in: configuration, path: path + "/" + RunFile.configuration)
        resizeCrop = try RunConfiguration.resizeCrop(
            in: configuration, path: path + "/" + RunFile.configuration)
        model = try ModelFile.read(path + "/" + RunFile.model)
        weightsPath = path + "/" + (best ? RunFile.best : RunFile.weights)
        if best, FileTree.kind(of: weightsPath) != .file {
            throw FormatError(
                .notFound, path: weightsPath,
                "there are no weights of a best epoch; train \(option: .validation) SPLIT keeps them")
        }
        let options = configuration["options"]
        folder = path
        tensors = nil
        datasetFingerprint = configuration["dataset_fingerprint"]?.stringValue
        classNames =
            switch configuration["class_names"] {
            case nil: .unknown
            case let names?: names.arrayValue.map { .known($0.compactMap(\.stringValue)) } ?? .bareNumbers
            }
        split = options?["split"]?.stringValue
        seed = options?["seed"]?.stringValue.flatMap { UInt64($0) }
        let isPenalty =
            options?["guidance"] == .string(Guidance.rightReasons.name) && options?["attribution"] == nil
        penaltyWeight = (isPenalty ? options?["lambda1"]?.doubleValue : nil).map { lambda1 in
            PenaltyWeight(
                lambda1: lambda1,
                reduction: options?["penalty_reduction"]?.stringValue.flatMap(PenaltyReduction.init) ?? .mean,
                batchSize: options?["batch_size"]?.integerValue ?? 1,
                target: options?["penalty_target"]?.stringValue.flatMap(PenaltyTarget.init)
                    ?? .sumLogProbability)
        }
    }

    /// The files of a run that a model is taken from.
    package static let fileNames = [RunFile.configuration, RunFile.model, RunFile.weights, RunFile.best]

    /// Tells whether a folder is a run, of whatever version.
    static func isRun(_ path: String) -> Bool {
        guard let bytes = try? FileBytes.read(path + "/" + RunFile.configuration),
            let configuration = try? JSONValue(parsing: bytes)
        else { return false }
        return configuration["format"] == .string(RunConfiguration.format)
    }

    static func configuration(of folder: String) throws(FormatError) -> JSONValue {
        guard FileTree.kind(of: folder) != nil else {
            throw FormatError(.notFound, path: folder, "there is no such run folder")
        }
        return try RunDocument.read(
            folder + "/" + RunFile.configuration, format: RunConfiguration.format,
            role: "config.json of a run")
    }

    /// Takes an architecture and weights from files of their own.
    ///
    /// - Throws: `FormatError` where `modelPath` cannot be read or is no model.
    public init(modelPath: String, weightsPath: String) throws {
        self.init(try ModelFile.read(modelPath), weightsPath: weightsPath)
    }

    /// Takes a network, and weights from a file.
    ///
    /// - Parameter tensors: those of the file, where it was read with the network.
    package init(_ model: ModelDescription, weightsPath: String, tensors: [SafeTensor]? = nil) {
        self.model = model
        self.tensors = tensors
        precision = nil
        normalization = nil
        penaltyWeight = nil
        (folder, datasetFingerprint, split, seed) = (nil, nil, nil, nil)
        classNames = .unknown
        self.weightsPath = weightsPath
    }

    /// Reads the weights in a number type.
    ///
    /// - Throws: `FormatError` where the file cannot be read or its tensors are not the model's.
    public func parameters<Scalar: NetworkScalar>(of network: Network<Scalar>) throws -> Parameters<Scalar> {
        try WeightsFile.read(
            weightsPath, tensors: tensors, layout: network.parameterLayout, as: Scalar.self)
    }

    /// What was chosen or left out when the weights of a model without a run were read: a prefix of their names, or what a
    /// checkpoint holds beside them.
    ///
    /// - Throws: as `parameters(of:)`.
    public func weightsNotes() throws -> [Message] {
        guard folder == nil, tensors == nil else { return [] }
        return try WeightsMatch(path: weightsPath, layout: Network<Float>(model).parameterLayout).notes
    }

    /// Computes the SHA-256 of the weights file, in hexadecimal, by which masks tell what they were made from.
    ///
    /// - Throws: `FormatError` where the file cannot be read.
    public func weightsHash() throws -> String {
        try SHA256Hasher.hash(ofFileAt: weightsPath)
    }
}
