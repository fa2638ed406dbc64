internal import RRTensor

/// What each sample of a batch weighs in the mean of the cross-entropy, by its label.
struct LabelWeights: Sendable {
    /// Σ w over the labels of the batch; their number where all weigh 1.
    let sum: Double

    private let classWeights: [Double]?
    /// ε.
    private let labelSmoothing: Double
    /// Σ_k w_k over all classes.
    private let classSum: Double
    private let classCount: Double

    /// - Parameters:
    ///   - classWeights: one weight a class; nil where all are 1.
    ///   - labelSmoothing: how much of each label is spread over all classes.
    /// - Throws: `ExplanationError` with the code `unsuitableClassWeights`.
    init(
        labels: SharedElements<Int64>, classWeights: [Double]?, labelSmoothing: Double, classCount: Int
    ) throws(ExplanationError) {
        self.classWeights = classWeights
        self.labelSmoothing = labelSmoothing
        self.classCount = Double(classCount)
        classSum = classWeights?.reduce(0, +) ?? Double(classCount)
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

    /// What a sample adds to the sum that `mean(of:labels:)` divides; without smoothing not yet weighted.
    func crossEntropy(_ softmax: Softmax, label: Int) -> Double {
        guard labelSmoothing > 0 else { return softmax.crossEntropy(label: label) }
        var spread = 0.0
        for index in softmax.probabilities.indices {
            spread += self[index] * softmax.crossEntropy(label: index)
        }
        return (1 - labelSmoothing) * self[label] * softmax.crossEntropy(label: label)
            + labelSmoothing / classCount * spread
    }

    /// What a sample adds to the sum that is divided by Σ w, weighted.
    func summand(_ softmax: Softmax, label: Int) -> Double {
        let value = crossEntropy(softmax, label: label)
        return labelSmoothing > 0 ? value : self[label] * value
    }

    /// The mean of the samples' cross-entropies.
    func mean(of values: [Double], labels: SharedElements<Int64>) -> Double {
        guard labelSmoothing == 0 else { return labels.indices.reduce(0) { $0 + values[$1] } / sum }
        return labels.indices.reduce(0) { $0 + self[Int(labels[$1])] * values[$1] } / sum
    }

    /// The derivative of the mean by a logit: w (p − y) / Σ w, and the same for the classes that smoothing adds.
    ///
    /// - Parameter difference: (y − p) of the logit.
    func logitGradient(_ softmax: Softmax, label: Int, difference: Double, at index: Int) -> Double {
        let sharp = -difference * self[label] / sum
        guard labelSmoothing > 0 else { return sharp }
        let spread = classSum * softmax.probabilities[index] - self[index]
        return (1 - labelSmoothing) * sharp + labelSmoothing / classCount * spread / sum
    }
}
