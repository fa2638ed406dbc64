internal import RRDatasets
internal import RRExplanation
internal import RRFormats

/// The sums of an evaluation.
struct EvaluationTally {
    let classCount: Int
    let groups: SampleGroups?
    let masks: MaskSet?
    private(set) var sampleCount = 0
    private(set) var crossEntropy = 0.0
    private(set) var classes: Counts
    private(set) var groupCounts: Counts
    private(set) var confusion: [[Int]]?
    private(set) var explanation = ExplanationMetrics()
    /// Nil where figures of probabilities are not wanted, or would take too much memory.
    private(set) var table: PredictionTable?
    /// Nil where what was found of each sample is not kept.
    private(set) var samples: [SamplePrediction]?

    /// The samples of each part, and how many of them were recognised.
    struct Counts {
        private(set) var all: [Int]
        private(set) var correct: [Int]

        init(partCount: Int) {
            all = Array(repeating: 0, count: partCount)
            correct = all
        }

        mutating func add(isCorrect: Bool, to part: Int) {
            all[part] += 1
            if isCorrect { correct[part] += 1 }
        }

        /// The figures of the parts that have samples.
        func figures(name: (Int) -> String) -> [Evaluation.PartFigures] {
            all.indices.filter { all[$0] > 0 }.map { part in
                Evaluation.PartFigures(
                    index: part, name: name(part), sampleCount: all[part],
                    accuracy: Double(correct[part]) / Double(all[part]))
            }
        }
    }

    init(
        classCount: Int, groups: SampleGroups?, masks: MaskSet?, keepsProbabilities: Bool, keepsSamples: Bool
    ) {
        samples = keepsSamples ? [] : nil
        table = keepsProbabilities ? PredictionTable(classCount: classCount) : nil
        self.classCount = classCount
        self.groups = groups
        self.masks = masks
        classes = Counts(partCount: classCount)
        groupCounts = Counts(partCount: groups?.count ?? 0)
        confusion =
            classCount > Evaluation.largestConfusion
            ? nil : Array(repeating: Array(repeating: 0, count: classCount), count: classCount)
    }

    /// Adds a sample.
    ///
    /// - Parameter index: its row in the dataset.
    mutating func add(_ observation: SampleObservation, label: Int, index: Int) {
        let isCorrect = observation.prediction == label
        sampleCount += 1
        crossEntropy += observation.crossEntropy
        classes.add(isCorrect: isCorrect, to: label)
        if let groups { groupCounts.add(isCorrect: isCorrect, to: groups.numbers[index]) }
        confusion?[label][observation.prediction] += 1
        table?.add(
            label: label, prediction: observation.prediction, probabilities: observation.probabilities)
        samples?.append(
            SamplePrediction(observation, index: index, label: label, group: groups?.numbers[index]))
        guard let masks else { return }
        explanation.add(
            observation.explanation,
            hasEmptyMask: masks.hasRow(index) && !masks.isAnnotated(index),
            crossEntropy: observation.crossEntropy,
            isFlipped: observation.randomizedPrediction.map { $0 != observation.prediction },
            swaps: observation.swaps)
    }
}
