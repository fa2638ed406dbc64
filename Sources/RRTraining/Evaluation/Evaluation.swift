public import RRDatasets
public import RRExplanation
package import RRFormats
public import RRNetworks
public import RRStreaming
internal import RRTensor

/// How good a model is on a split, and for which reasons.
public struct Evaluation: Sendable {
    /// The figures of one class, or of one group.
    public struct PartFigures: Equatable, Sendable {
        /// The label, or the group's number.
        public let index: Int
        public let name: String
        public let sampleCount: Int
        /// The share of the part's samples that were recognised.
        public let accuracy: Double

        /// What that share of all such samples may be.
        public var interval: ConfidenceInterval? {
            Proportion(Int((accuracy * Double(sampleCount)).rounded()), of: sampleCount).interval
        }
    }

    public let sampleCount: Int
    /// The share of samples whose largest logit was the label's.
    public let accuracy: Double
    /// What the accuracy over all such samples may be; nil without samples.
    public var accuracyInterval: ConfidenceInterval? {
        Proportion(Int((accuracy * Double(sampleCount)).rounded()), of: sampleCount).interval
    }
    /// The mean of −log p of the label.
    public let crossEntropy: Double
    /// How many samples of a class (row) were taken for a class (column); nil for more than
    /// `largestConfusion` classes, of which no one would read the square.
    public let confusion: [[Int]]?
    /// The classes of which the split has samples.
    public let perClass: [PartFigures]
    /// The groups of which the split has samples; nil where the dataset has no groups.
    public let perGroup: [PartFigures]?
    /// What the probabilities say; nil where they were not asked, or there are too many of them to be kept.
    public let classification: ClassificationFigures?
    /// What becomes of predictions as pixels go or come; nil where it was not measured.
    public let curves: PixelCurves?
    /// What was found of each sample, in the order of the dataset; nil where it was not kept.
    public let samples: [SamplePrediction]?
    /// The names of the classes by label; nil where they are bare numbers.
    public let classNames: [String]?
    /// The number of the model's classes.
    public let classCount: Int
    /// What the input gradients say; nil where no masks were given.
    public let explanation: ExplanationMetrics?

    /// The name of a class, or its digits where classes have no names.
    public func className(of label: Int) -> String {
        guard let classNames, classNames.indices.contains(label) else { return String(label) }
        return classNames[label]
    }

    /// The number of classes up to which confusion is counted: 8 MB of counts.
    public static let largestConfusion = 1000

    /// The class that is recognised worst, the first of equal ones.
    public var worstClass: PartFigures? { Self.worst(of: perClass) }

    /// The group that is recognised worst, the first of equal ones: worst-group accuracy as in Sagawa, Koh, Hashimoto
    /// and Liang, "Distributionally robust neural networks for group shifts", ICLR 2020.
    public var worstGroup: PartFigures? { Self.worst(of: perGroup ?? []) }

    /// As many images as are read at a time without much memory: a swap test reads four times as many.
    static func batchSize(for shape: ImageShape) -> Int {
        let bytes = MemoryLayout<Float>.size * max(1, shape.elementCount)
        return min(256, max(16, (32 << 20) / bytes))
    }

    private static func worst(of parts: [PartFigures]) -> PartFigures? {
        parts.min { ($0.accuracy, $0.index) < ($1.accuracy, $1.index) }
    }

    /// Measures a model on a split.
    ///
    /// - Parameters:
    ///   - network: the network that is measured.
    ///   - parameters: its parameters.
    ///   - normalization: what is done to the images, as in training; nil for nothing.
    ///   - resizeCrop: how images and masks are resized and cropped before; nil for not at all.
    ///   - dataset: images with labels.
    ///   - masks: the masks of the dataset; nil to leave explanations out.
    ///   - split: a split's name or `all`; nil for `test` where the dataset has splits, else all samples.
    ///   - measurement: how explanations are measured.
    ///   - predictions: what is said of predictions beside how many are right.
    ///   - batchSize: the number of samples that are read at a time; without effect on the figures but for
    ///     rounding.
    ///   - threadCount: the number of threads; nil for one a processor core.
    ///   - progress: is told of the samples done and of all.
    /// - Throws: `DatasetError` where a sample is damaged or the split is unknown, `TrainingError` where the
    ///   dataset has no labels, `ExplanationError` where it does not fit the model or the measurement.
    public init<Scalar: NetworkScalar>(
        network: Network<Scalar>, parameters: Parameters<Scalar>,
        normalization: InputNormalization? = nil, resizeCrop: ResizeCrop? = nil, dataset: Dataset,
        masks: MaskSet? = nil, split: String? = nil,
        measurement: ExplanationMeasurement = ExplanationMeasurement(),
        predictions: PredictionMeasurement = PredictionMeasurement(), batchSize: Int = 256,
        threadCount: Int? = nil, progress: (Int, Int) -> Void = { _, _ in }
    ) throws {
        guard dataset.labels != nil else {
            throw TrainingError(
                .unsuitableDataset, .file(dataset.path), "has no labels to measure the model against")
        }
        let split = split ?? dataset.split(preferring: "test")
        var options = StreamOptions(batchSize: batchSize, split: split)
        options.resizeCrop = resizeCrop
        let stream = try BatchStream(dataset: dataset, masks: masks, options: options)
        let predictor = BatchPredictor(
            network: network, parameters: parameters, normalization: normalization,
            target: measurement.target, threadCount: threadCount)
        let rows = try dataset.indices(inSplit: split)
        let observer = try SampleObserver(
            predictor, dataset: dataset, masks: masks, rows: rows, options: options, measurement: measurement,
            predictions: predictions)
        let classCount = network.model.classCount
        var tally = EvaluationTally(
            classCount: classCount, groups: dataset.groups, masks: masks,
            keepsProbabilities: predictions.hasFigures
                && rows.count <= PredictionMeasurement.largestProbabilityCount / max(1, classCount),
            keepsSamples: predictions.keepsSamples)
        while let batch = try stream.next() {
            let observations = try observer.observe(batch)
            for (position, observation) in observations.enumerated() {
                tally.add(
                    observation, label: Int(batch.labels[position]), index: Int(batch.indices[position]))
            }
            progress(tally.sampleCount, stream.samplesPerEpoch)
        }
        let classification = tally.table.map {
            ClassificationFigures(
                $0, drawCount: predictions.drawCount, seed: predictions.seed, workers: predictor.workers)
        }
        self.init(
            tally, classNames: dataset.classNames, classification: classification, curves: observer.curves)
    }

    private init(
        _ tally: EvaluationTally, classNames: [String]?, classification: ClassificationFigures?,
        curves: PixelCurves?
    ) {
        self.classification = classification
        self.classNames = classNames
        classCount = tally.classCount
        samples = tally.samples
        self.curves = curves
        let classes = SampleGroups(numbers: [], names: classNames)
        sampleCount = tally.sampleCount
        accuracy = Double(tally.classes.correct.reduce(0, +)) / Double(max(sampleCount, 1))
        crossEntropy = tally.crossEntropy / Double(max(sampleCount, 1))
        confusion = tally.confusion
        perClass = tally.classes.figures { classes.name(of: $0) }
        perGroup = tally.groups.map { groups in tally.groupCounts.figures { groups.name(of: $0) } }
        explanation = tally.masks == nil ? nil : tally.explanation
    }
}

extension Run {
    /// What people should know of figures that are measured on a dataset: how its classes were matched with the run's, and whether the
    /// run has learnt the very samples.
    ///
    /// - Throws: as `matching(_:)`.
    package func remarks(onMeasuring dataset: Dataset) throws -> [Message] {
        var remarks = [try matching(dataset).note].compactMap(\.self)
        // The fingerprint of a folder would have to be computed.
        if let folder, split == "all", dataset.hasFingerprint, try dataset.fingerprint == datasetFingerprint {
            remarks.append(
                "\(folder) was trained on all samples of \(dataset.path), so that its figures say nothing of others: hold some "
                    + "out, as in folders train and test above those of the classes")
        }
        return remarks
    }

    /// Measures the run's model on a split, whose classes are matched with those of the run by name.
    ///
    /// - Parameters:
    ///   - dataset: images with labels.
    ///   - masks: the masks of the dataset; nil to leave explanations out.
    ///   - split: a split's name or `all`; nil for `test` where the dataset has splits, else all samples.
    ///   - measurement: how explanations are measured.
    ///   - predictions: what is said of predictions beside how many are right.
    ///   - precision: the number type to compute in; nil for that of the run, and single where it says none.
    ///   - threadCount: the number of threads; nil for one a processor core.
    ///   - progress: is told of the samples done and of all.
    /// - Throws: `FormatError` where the weights cannot be read or are not the model's, `TrainingError` with the code
    ///   `unknownClass` where samples are of a class that the run does not know, and as
    ///   `Evaluation.init(network:parameters:…)`.
    public func evaluate(
        _ dataset: Dataset, masks: MaskSet? = nil, split: String? = nil,
        measurement: ExplanationMeasurement = ExplanationMeasurement(),
        predictions: PredictionMeasurement = PredictionMeasurement(), precision: Precision? = nil,
        threadCount: Int? = nil, progress: (Int, Int) -> Void = { _, _ in }
    ) throws -> Evaluation {
        let dataset = try matching(dataset).dataset
        func evaluate<Scalar: NetworkScalar>(_: Scalar.Type) throws -> Evaluation {
            let network = try Network<Scalar>(model)
            try network.checkMemory()
            return try Evaluation(
                network: network, parameters: parameters(of: network), normalization: normalization,
                resizeCrop: resizeCrop, dataset: dataset, masks: masks, split: split,
                measurement: measurement, predictions: predictions,
                batchSize: Evaluation.batchSize(for: model.input),
                threadCount: threadCount, progress: progress)
        }
        return switch precision ?? self.precision ?? .float {
        case .float: try evaluate(Float.self)
        case .double: try evaluate(Double.self)
        }
    }
}

extension Trainer {
    /// Measures the network as it is between two steps, which changes nothing of the training: accuracy and, with masks,
    /// explanations, not the figures of probabilities.
    ///
    /// - Parameters:
    ///   - dataset: images with labels.
    ///   - split: a split's name or `all`; nil for `test` where the dataset has splits, else all samples.
    ///   - masks: the masks of the dataset; nil to leave explanations out.
    ///   - resizeCrop: how images and masks are resized and cropped before; nil for not at all.
    ///   - measurement: how explanations are measured.
    ///   - batchSize: the number of samples that are read at a time.
    /// - Throws: as `Evaluation.init(network:parameters:…)`.
    public func evaluate(
        _ dataset: Dataset, split: String? = nil, masks: MaskSet? = nil, resizeCrop: ResizeCrop? = nil,
        measurement: ExplanationMeasurement = ExplanationMeasurement(), batchSize: Int = 256
    ) throws -> Evaluation {
        try Evaluation(
            network: network, parameters: parameters, normalization: normalization,
            resizeCrop: resizeCrop, dataset: dataset, masks: masks, split: split, measurement: measurement,
            predictions: .accuracyAlone, batchSize: batchSize,
            threadCount: threadCount)
    }
}
