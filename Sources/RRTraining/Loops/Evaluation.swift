public import RRDatasets
public import RRExplanation
public import RRNetworks
internal import RRStreaming

/// How good a model is on a split, and for which reasons.
public struct Evaluation: Sendable {
    /// The figures of one class.
    public struct ClassFigures: Equatable, Sendable {
        /// The label.
        public let index: Int
        public let name: String
        public let sampleCount: Int
        /// The share of the class's samples that were recognised.
        public let accuracy: Double
    }

    public let sampleCount: Int
    /// The share of samples whose largest logit was the label's.
    public let accuracy: Double
    /// The mean of −log p of the label.
    public let crossEntropy: Double
    /// How many samples of a class (row) were taken for a class (column); nil for more than
    /// `largestConfusion` classes, of which no one would read the square.
    public let confusion: [[Int]]?
    /// The classes of which the split has samples.
    public let perClass: [ClassFigures]
    /// Where the input gradients lie; nil where no masks were given.
    public let gradientShare: GradientShare?
    /// The samples without a mask, which `gradientShare` leaves out; 0 where no masks were given.
    public let unannotatedCount: Int

    /// The number of classes up to which confusion is counted: 8 MB of counts.
    public static let largestConfusion = 1000

    /// The class that is recognised worst, the first of equal ones.
    public var worstClass: ClassFigures? {
        perClass.min { ($0.accuracy, $0.index) < ($1.accuracy, $1.index) }
    }

    /// Measures a model on a split.
    ///
    /// - Parameters:
    ///   - normalization: what is done to the images, as in training; nil for nothing.
    ///   - masks: the masks of the dataset; nil to leave explanations out.
    ///   - split: a split's name or `all`; nil for `test` where the dataset has splits, else all samples.
    ///   - batchSize: the number of samples that are read at a time; without effect on the figures but for
    ///     rounding.
    ///   - threads: the number of threads; nil for one a processor core.
    /// - Throws: `DatasetError` where a sample is damaged or the split is unknown, `TrainingError` where the
    ///   dataset has no labels, `ExplanationError` where it does not fit the model.
    public init<Scalar: NetworkScalar>(
        network: Network<Scalar>, parameters: Parameters<Scalar>,
        normalization: InputNormalization? = nil, dataset: Dataset, masks: MaskSet?, split: String? = nil,
        batchSize: Int = 256, threads: Int? = nil
    ) throws {
        guard dataset.labels != nil else {
            throw TrainingError(
                .unsuitableDataset, dataset.path, "has no labels to measure the model against")
        }
        let explainer = InputGradients(network: network, threads: threads)
        let stream = try BatchStream(
            dataset: dataset, masks: masks,
            options: StreamOptions(
                batchSize: batchSize, shuffle: false, seed: 0, epochs: 1,
                split: split ?? dataset.split(preferring: "test"), dropLast: false))
        var tally = Tally(classCount: network.model.classCount)
        var outcomes: [SampleOutcome] = []
        while let batch = try stream.next() {
            let labelled = try LabelledBatch(batch, normalization)
            outcomes = Array(repeating: SampleOutcome(), count: batch.count)
            try outcomes.withUnsafeMutableBufferPointer { outcomes throws(ExplanationError) in
                let results = UncheckedSendable(outcomes)
                try explainer.forEachSample(
                    of: labelled, at: parameters, withGradient: labelled.masks != nil
                ) { sample in
                    results.value[sample.position] = SampleOutcome(sample, masks: labelled.masks)
                }
            }
            for (outcome, label) in zip(outcomes, batch.labels) { tally.add(outcome, label: Int(label)) }
        }
        self.init(tally, classNames: dataset.classNames, hasMasks: masks != nil)
    }

    private init(_ tally: Tally, classNames: [String]?, hasMasks: Bool) {
        sampleCount = tally.sampleCount
        accuracy = Double(tally.correctCounts.reduce(0, +)) / Double(max(sampleCount, 1))
        crossEntropy = tally.crossEntropy / Double(max(sampleCount, 1))
        confusion = tally.confusion
        perClass = tally.counts.enumerated().compactMap { index, count in
            guard count > 0 else { return nil }
            let isNamed = classNames.map { $0.indices.contains(index) } ?? false
            return ClassFigures(
                index: index, name: isNamed ? classNames?[index] ?? "" : String(index), sampleCount: count,
                accuracy: Double(tally.correctCounts[index]) / Double(count))
        }
        gradientShare = hasMasks ? tally.share : nil
        unannotatedCount = hasMasks ? tally.unannotatedCount : 0
    }
}

/// What one sample adds to an evaluation.
private struct SampleOutcome: Sendable {
    var prediction = 0
    var crossEntropy = 0.0
    var share = GradientShare.Share.unannotated

    init() {}

    init<Scalar: NetworkScalar>(_ sample: ExplainedSample<Scalar>, masks: [UInt8]?) {
        prediction = sample.prediction
        crossEntropy = sample.crossEntropy
        guard let masks else { return }
        let count = sample.gradient.count
        share = masks.withUnsafeBufferPointer { masks in
            GradientShare.Share(
                gradient: sample.gradient,
                mask: UnsafeBufferPointer(
                    rebasing: masks[sample.position * count..<(sample.position + 1) * count]))
        }
    }
}

/// The sums of an evaluation.
private struct Tally {
    var sampleCount = 0
    var crossEntropy = 0.0
    /// The samples of each class, and how many of them were recognised.
    var counts: [Int]
    var correctCounts: [Int]
    var confusion: [[Int]]?
    var share = GradientShare()
    var unannotatedCount = 0

    init(classCount: Int) {
        counts = Array(repeating: 0, count: classCount)
        correctCounts = counts
        confusion =
            classCount > Evaluation.largestConfusion ? nil : Array(repeating: counts, count: classCount)
    }

    mutating func add(_ outcome: SampleOutcome, label: Int) {
        sampleCount += 1
        crossEntropy += outcome.crossEntropy
        counts[label] += 1
        if outcome.prediction == label { correctCounts[label] += 1 }
        confusion?[label][outcome.prediction] += 1
        share.add(outcome.share)
        if outcome.share == .unannotated { unannotatedCount += 1 }
    }
}
