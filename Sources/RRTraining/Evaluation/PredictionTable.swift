internal import RRExplanation

/// What a model said of samples, for figures that need all of it at once.
struct PredictionTable: Sendable {
    let classCount: Int
    /// The class of each sample.
    private(set) var labels: [Int] = []
    /// The class with the largest logit.
    private(set) var predictions: [Int] = []
    /// (N, K), softmax of the logits.
    private(set) var probabilities: [Double] = []

    init(classCount: Int) { self.classCount = classCount }

    var count: Int { labels.count }

    /// Adds a sample.
    mutating func add(label: Int, prediction: Int, probabilities: some Collection<Double>) {
        labels.append(label)
        predictions.append(prediction)
        self.probabilities += probabilities
    }

    /// The probability of a class for each sample.
    func probabilities(of number: Int) -> [Double] {
        stride(from: number, to: probabilities.count, by: classCount).map { probabilities[$0] }
    }
}
