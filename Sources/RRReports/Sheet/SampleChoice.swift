public import RRDatasets
internal import RRFormats
internal import RRTensor
public import RRTraining

/// Which samples of a dataset are shown.
public struct SampleChoice: Sendable {
    /// What decides.
    public enum Order: String, Sendable, CaseIterable {
        /// The first samples.
        case first
        /// Samples drawn by the seed.
        case random
        /// As many samples of each class, drawn by the seed.
        case classes
        /// The samples with the largest −log p of their class.
        case loss
        /// The annotated samples with the largest share of |input gradient| inside A.
        case inside
        /// The samples that are taken for another class with the largest probability.
        case confident

        /// Whether a model says which samples these are.
        public var needsRun: Bool { [.loss, .inside, .confident].contains(self) }
    }

    public var order: Order
    /// The largest number of samples.
    public var count: Int
    public var seed: UInt64
    /// A split's name, or `all`.
    public var split: String

    public init(_ order: Order = .random, count: Int = 64, seed: UInt64 = 0, split: String = "all") {
        self.order = order
        self.count = count
        self.seed = seed
        self.split = split
    }

    /// The samples, rows of the dataset.
    ///
    /// - Parameters:
    ///   - dataset: what they are of.
    ///   - run: says which samples are worst.
    ///   - masks: say where a model must not look; for `inside`.
    ///   - threadCount: without effect on the result; nil for one a processor core.
    ///   - progress: is told of the samples done and of all.
    /// - Returns: in the order of the dataset, or the worst first.
    /// - Throws: `DatasetError` with the code `unknownSplit`, `missingLabels` where classes are asked for and there are none, or
    ///   `invalidOption` where a model or masks are needed; as `Run.evaluate`.
    public func rows(
        in dataset: Dataset, run: Run? = nil, masks: MaskSet? = nil, threadCount: Int? = nil,
        progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws -> [Int] {
        let rows = try dataset.indices(inSplit: split)
        var generator = SplitMix64(seed: seed)
        switch order {
        case .first: return Array(rows.prefix(count))
        case .random: return rows.shuffled(using: &generator).prefix(count).sorted()
        case .classes: return try rowsOfClasses(rows, in: dataset, &generator)
        case .loss, .inside, .confident:
            guard let run else {
                throw DatasetError(
                    .invalidOption, path: dataset.path,
                    "which samples are worst is said by a model: give \(option: .run)")
            }
            guard order != .inside || masks != nil else {
                throw DatasetError(
                    .invalidOption, path: dataset.path,
                    "what lies inside A is said by masks: give \(option: .masks)")
            }
            return try worst(in: dataset, run, masks, threadCount, progress)
        }
    }

    /// The samples of these ids, in their order.
    ///
    /// - Throws: `DatasetError` with the code `badMetadata`, with the ids that are most like one that is not there.
    public static func rows(ofIds ids: [String], in dataset: Dataset) throws -> [Int] {
        let all = try dataset.ids()
        var places = Dictionary(minimumCapacity: all.count) as [String: Int]
        for (row, id) in all.enumerated() { places[id] = row }
        var seen: Set<Int> = []
        return try ids.map { id in
            guard let row = places[id] else {
                throw DatasetError(
                    .badMetadata, path: dataset.path,
                    "there is no sample “\(id)”\(NearestNames(to: id, among: all).question)")
            }
            guard seen.insert(row).inserted else {
                throw DatasetError(.badMetadata, path: dataset.path, "the id “\(id)” is given twice")
            }
            return row
        }
    }

    private func rowsOfClasses(
        _ rows: [Int], in dataset: Dataset, _ generator: inout SplitMix64
    ) throws -> [Int] {
        guard let labels = dataset.labels else {
            throw DatasetError(
                .missingLabels, path: dataset.path, "samples have no labels to be chosen by")
        }
        var rowsOfClass: [Int: [Int]] = [:]
        for row in rows.shuffled(using: &generator) { rowsOfClass[labels[row], default: []].append(row) }
        let classes = rowsOfClass.keys.sorted().shuffled(using: &generator).prefix(count).sorted()
        let share = max(1, count / max(1, classes.count))
        return classes.flatMap { (rowsOfClass[$0] ?? []).prefix(share).sorted() }
    }

    private func worst(
        in dataset: Dataset, _ run: Run, _ masks: MaskSet?, _ threadCount: Int?,
        _ progress: (Int, Int) -> Void
    ) throws -> [Int] {
        var measurement = ExplanationMeasurement()
        measurement.hasSwapTest = false
        var predictions = PredictionMeasurement()
        predictions.hasFigures = false
        predictions.keepsSamples = true
        let evaluation = try run.evaluate(
            dataset, masks: order == .inside ? masks : nil, split: split, measurement: measurement,
            predictions: predictions, threadCount: threadCount, progress: progress)
        return Self.worst(evaluation.samples ?? [], by: order).prefix(count).map(\.index)
    }

    /// Samples that have a figure, the worst first, of equal ones the first.
    static func worst(_ samples: [SamplePrediction], by order: Order) -> [SamplePrediction] {
        let figures: [(sample: SamplePrediction, figure: Double)] = samples.compactMap { sample in
            let figure: Double? =
                switch order {
                case .loss: sample.crossEntropy
                case .inside: sample.explanation?.gradientShareInsideMask
                case .confident: sample.isRight ? nil : sample.probabilities[sample.prediction]
                case .first, .random, .classes: nil
                }
            return figure.map { (sample, $0.isNaN ? .infinity : $0) }
        }
        return figures.sorted { ($1.figure, $0.sample.index) < ($0.figure, $1.sample.index) }.map(\.sample)
    }
}

extension OptionName {
    static let masks = OptionName("masks")
    static let run = OptionName("run")
    static let count = OptionName("count")
    static let panelSize = OptionName("panelSize")
}
