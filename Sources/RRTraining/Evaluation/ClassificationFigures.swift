public import RRExplanation
internal import RRTensor

/// How well a model tells classes apart, and how much its probabilities are worth.
///
/// Each figure has what it may be for all samples of this kind beside it, at a confidence of 95 %: from the 2.5th to the
/// 97.5th percentile of the figure over samples drawn with replacement (Efron and Tibshirani, "An introduction to the
/// bootstrap", 1993, chapter 13). It is the chance of drawing samples, not that of training.
public struct ClassificationFigures: Sendable {
    /// A figure, and the bounds of its bootstrap; nil where it was left out or was undefined in all draws.
    public struct Figure: Equatable, Sendable {
        public let value: Double
        public let interval: ConfidenceInterval?
    }

    /// The figures of one class against all others.
    public struct ClassFigures: Equatable, Sendable {
        /// The label.
        public let index: Int
        /// The share of those taken for the class that are of it; nil where none is.
        public let precision: Double?
        /// The harmonic mean of precision and recall: 2 TP / (2 TP + FP + FN); nil where nothing is of the class nor taken for
        /// it.
        public let f1: Double?
        /// The area under the receiver operating characteristic; nil where all samples are of the class, or none.
        public let areaUnderCurve: Double?
        /// Nil where no sample is of the class.
        public let averagePrecision: Double?
    }

    /// The mean of the classes' recalls, over the classes that samples are of (Brodersen, Ong, Stephan and Buhmann, "The
    /// balanced accuracy and its posterior distribution", ICPR 2010). A model that says one class throughout has 1 / K.
    /// It misleads where a class has few samples: each of them weighs as many of another.
    public let balancedAccuracy: Figure?

    /// The mean of the classes' F1, over the classes that samples are of or are taken for; a class without a right one has 0
    /// (Sokolova and Lapalme, "A systematic analysis of performance measures for classification tasks", 2009). It
    /// misleads as a comparison between sets of samples: precision changes with how frequent classes are.
    public let macroF1: Figure?

    /// The area under the receiver operating characteristic: of two classes that of class 1, of more the mean over the classes
    /// against the rest where it is defined. 0.5 is chance. It misleads where probabilities are used: it looks at the order of
    /// scores alone, and with rare classes it may be high where most alarms are false.
    public let areaUnderCurve: Figure?

    /// The average precision: of two classes that of class 1, of more the mean over the classes with samples. Chance has the
    /// share of the class, not 0.5, so that values of sets with other shares do not compare.
    public let averagePrecision: Figure?

    /// The expected calibration error: Σ over 15 bins (m/15, (m+1)/15] of the largest probability, of the bin's share of
    /// samples times |accuracy − mean largest probability| (Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural
    /// networks", ICML 2017). It misleads with few samples: chance alone leaves some in every bin, so that it is above 0
    /// for a perfect model too; and a model that always says the shares of the classes has about 0.
    public let calibrationError: Figure?

    /// The mean of Σ_k (p_k − [y = k])², of two classes half of it: (p_1 − y)² (Brier, "Verification of forecasts expressed in
    /// terms of probability", 1950; halved as scikit-learn does). Lower is better. It misleads as a measure of
    /// calibration: it holds accuracy and calibration together.
    public let brierScore: Figure?

    /// By label, of all classes.
    public let perClass: [ClassFigures]

    /// The number of bins of the calibration error.
    public static let binCount = 15

    /// The numbers N · K up to which areas under curves are drawn anew for their bounds: some seconds.
    static let largestDrawnScoreCount = 2_000_000

    /// - Parameters:
    ///   - drawCount: how often samples are drawn with replacement; 0 for no bounds.
    ///   - seed: decides the draws.
    init(_ table: PredictionTable, drawCount: Int, seed: UInt64, workers: Workers) {
        let counts = ClassCounts(table)
        let scores = (0..<table.classCount).map { number in
            RankedScores(table.probabilities(of: number), isPositive: table.labels.map { $0 == number })
        }
        let calibration = CalibrationTerms(table)
        let drawsCurves = table.probabilities.count <= Self.largestDrawnScoreCount
        /// Balanced accuracy, macro F1, area, average precision, calibration error and Brier score.
        @Sendable func figures(_ weights: [Int32]?, withCurves: Bool) -> [Double?] {
            let counts = weights.map { ClassCounts(table, weights: $0) } ?? counts
            return [
                counts.balancedAccuracy, counts.macroF1,
                withCurves ? Self.mean(scores) { $0.areaUnderCurve(weights: weights) } : nil,
                withCurves ? Self.mean(scores) { $0.averagePrecision(weights: weights) } : nil,
                calibration.error(weights: weights), calibration.brierScore(weights: weights),
            ]
        }
        let bootstrap = Bootstrap(sampleCount: table.count, drawCount: drawCount, seed: seed)
        let bounds = bootstrap.intervals(figureCount: 6, workers: workers) {
            figures($0, withCurves: drawsCurves)
        }
        let all = zip(figures(nil, withCurves: true), bounds).map { value, interval in
            value.map { Figure(value: $0, interval: interval) }
        }
        balancedAccuracy = all[0]
        macroF1 = all[1]
        areaUnderCurve = all[2]
        averagePrecision = all[3]
        calibrationError = all[4]
        brierScore = all[5]
        perClass = (0..<table.classCount).map { number in
            ClassFigures(
                index: number, precision: counts.precision(of: number), f1: counts.f1(of: number),
                areaUnderCurve: scores[number].areaUnderCurve(),
                averagePrecision: scores[number].averagePrecision())
        }
    }

    /// Of two classes the figure of class 1, of more the mean over those that have one.
    private static func mean(_ scores: [RankedScores], _ figure: (RankedScores) -> Double?) -> Double? {
        guard scores.count != 2 else { return figure(scores[1]) }
        let figures = scores.compactMap(figure)
        return figures.isEmpty ? nil : figures.reduce(0, +) / Double(figures.count)
    }
}

/// How many samples are of each class, are taken for it, and both.
private struct ClassCounts: Sendable {
    private var actual: [Int]
    private var predicted: [Int]
    private var right: [Int]

    init(_ table: PredictionTable, weights: [Int32]? = nil) {
        actual = Array(repeating: 0, count: table.classCount)
        predicted = actual
        right = actual
        for sample in 0..<table.count {
            let weight = weights.map { Int($0[sample]) } ?? 1
            let (label, prediction) = (table.labels[sample], table.predictions[sample])
            actual[label] += weight
            predicted[prediction] += weight
            if label == prediction { right[label] += weight }
        }
    }

    func precision(of number: Int) -> Double? {
        predicted[number] == 0 ? nil : Double(right[number]) / Double(predicted[number])
    }

    func f1(of number: Int) -> Double? {
        let both = actual[number] + predicted[number]
        return both == 0 ? nil : Double(2 * right[number]) / Double(both)
    }

    var macroF1: Double? { mean(of: f1) }

    var balancedAccuracy: Double? {
        mean { actual[$0] == 0 ? nil : Double(right[$0]) / Double(actual[$0]) }
    }

    private func mean(of figure: (Int) -> Double?) -> Double? {
        let figures = actual.indices.compactMap(figure)
        return figures.isEmpty ? nil : figures.reduce(0, +) / Double(figures.count)
    }
}

/// What each sample adds to the calibration error and the Brier score.
private struct CalibrationTerms: Sendable {
    private var bins: [Int] = []
    private var confidences: [Double] = []
    private var isRight: [Bool] = []
    private var squares: [Double] = []

    init(_ table: PredictionTable) {
        let binCount = Double(ClassificationFigures.binCount)
        for sample in 0..<table.count {
            let probabilities = table.probabilities[
                sample * table.classCount..<(sample + 1) * table.classCount]
            let (label, prediction) = (table.labels[sample], table.predictions[sample])
            let confidence = probabilities[probabilities.startIndex + prediction]
            // A probability that is not a number, of a network that has diverged, is in the last bin.
            let bin = confidence.isFinite ? Int((confidence * binCount).rounded(.up)) - 1 : Int.max
            bins.append(min(max(bin, 0), ClassificationFigures.binCount - 1))
            confidences.append(confidence)
            isRight.append(label == prediction)
            var square = 0.0
            for (number, probability) in probabilities.enumerated() {
                let difference = probability - (number == label ? 1 : 0)
                square += difference * difference
            }
            squares.append(table.classCount == 2 ? square / 2 : square)
        }
    }

    func error(weights: [Int32]?) -> Double? {
        var sums = Array(repeating: 0.0, count: ClassificationFigures.binCount)
        var total = 0.0
        for sample in bins.indices {
            let weight = weights.map { Double($0[sample]) } ?? 1
            sums[bins[sample]] += weight * (confidences[sample] - (isRight[sample] ? 1 : 0))
            total += weight
        }
        return total == 0 ? nil : sums.reduce(0) { $0 + $1.magnitude } / total
    }

    func brierScore(weights: [Int32]?) -> Double? {
        var (sum, total) = (0.0, 0.0)
        for sample in squares.indices {
            let weight = weights.map { Double($0[sample]) } ?? 1
            sum += weight * squares[sample]
            total += weight
        }
        return total == 0 ? nil : sum / total
    }
}
