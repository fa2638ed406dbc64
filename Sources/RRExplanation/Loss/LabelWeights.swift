/// What each sample of a batch weighs in the mean of the cross-entropy, by its label.
struct LabelWeights: Sendable {
    /// Σ w over the labels of the batch; their number where all weigh 1.
    let sum: Double

    private let classWeights: [Double]?

    /// - Parameter classWeights: one weight a class; nil where all are 1.
    /// - Throws: `ExplanationError` with the code `unsuitableClassWeights`.
    init(labels: [Int64], classWeights: [Double]?, classCount: Int) throws(ExplanationError) {
        self.classWeights = classWeights
        guard let classWeights else {
            sum = Double(labels.count)
            return
        }
        guard classWeights.count == classCount else {
            throw ExplanationError(
                .unsuitableClassWeights,
                "there are \(classWeights.count) class weights, but the model has \(classCount) classes")
        }
        if let fault = classWeights.firstIndex(where: { !($0 >= 0 && $0.isFinite) }) {
            throw ExplanationError(
                .unsuitableClassWeights,
                "the weight of class \(fault) is \(classWeights[fault]), but must be a number of at least 0")
        }
        sum = labels.reduce(0) { $0 + classWeights[Int($1)] }
        guard sum > 0 else {
            throw ExplanationError(
                .unsuitableClassWeights,
                "every label of the batch has the weight 0, so that its mean cross-entropy is not defined")
        }
    }

    /// The weight of a class.
    subscript(label: Int) -> Double { classWeights?[label] ?? 1 }

    /// The weighted mean of one value a sample.
    func mean(of values: [Double], labels: [Int64]) -> Double {
        labels.indices.reduce(0) { $0 + self[Int(labels[$1])] * values[$1] } / sum
    }
}
