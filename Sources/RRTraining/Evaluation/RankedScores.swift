/// Scores in ascending order with who of them is positive: what curves over all thresholds are computed from.
///
/// Samples may count several times, or not at all, as in a bootstrap: their order is found once.
struct RankedScores: Sendable {
    /// The samples by ascending score.
    private let order: [Int]
    /// Whether the sample at each place in the order has the score of the one before it.
    private let isTied: [Bool]
    private let isPositive: [Bool]

    init(_ scores: [Double], isPositive: [Bool]) {
        order = scores.indices.sorted { (scores[$0], $0) < (scores[$1], $1) }
        var isTied: [Bool] = []
        for place in order.indices {
            isTied.append(place > 0 && scores[order[place]] == scores[order[place - 1]])
        }
        self.isTied = isTied
        self.isPositive = isPositive
    }

    /// The area under the receiver operating characteristic: the probability that a positive sample has a higher score than a
    /// negative one, equal scores counted as half (Hanley and McNeil, "The meaning and use of the area under a receiver
    /// operating characteristic (ROC) curve", Radiology 143, 1982); nil where there are no two kinds of samples.
    ///
    /// - Parameter weights: how often each sample counts; nil for once.
    func areaUnderCurve(weights: [Int32]? = nil) -> Double? {
        var (positives, negatives, wins) = (0, 0, 0)
        forEachTie(weights, descending: false) { positive, negative in
            // Doubled, so that halves are whole.
            wins += positive * (2 * negatives + negative)
            positives += positive
            negatives += negative
        }
        guard positives > 0, negatives > 0 else { return nil }
        return Double(wins) / 2 / Double(positives) / Double(negatives)
    }

    /// The mean precision over the positive samples, Σ (R_n − R_(n−1)) P_n over the distinct scores from the highest on,
    /// without interpolation, as scikit-learn has it; nil where no sample is positive.
    ///
    /// - Parameter weights: how often each sample counts; nil for once.
    func averagePrecision(weights: [Int32]? = nil) -> Double? {
        var (positives, all, sum) = (0, 0, 0.0)
        forEachTie(weights, descending: true) { positive, negative in
            positives += positive
            all += positive + negative
            if positive > 0 { sum += Double(positive) * (Double(positives) / Double(all)) }
        }
        return positives == 0 ? nil : sum / Double(positives)
    }

    /// Calls a body with the numbers of positive and negative samples of each score.
    private func forEachTie(
        _ weights: [Int32]?, descending: Bool, _ body: (_ positive: Int, _ negative: Int) -> Void
    ) {
        var (positive, negative) = (0, 0)
        let count = order.count
        for number in 0..<count {
            let place = descending ? count - 1 - number : number
            let sample = order[place]
            let weight = weights.map { Int($0[sample]) } ?? 1
            if isPositive[sample] { positive += weight } else { negative += weight }
            let isLast = descending ? !isTied[place] : place == count - 1 || !isTied[place + 1]
            guard isLast else { continue }
            body(positive, negative)
            (positive, negative) = (0, 0)
        }
    }
}
