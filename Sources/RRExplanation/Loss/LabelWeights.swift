internal import RRNetworks
internal import RRTensor

/// What each sample of a batch weighs in the mean of the cross-entropy, by its label.
struct LabelWeights: Sendable {
    /// Σ w over the labels of the batch; their number where all weigh 1.
    let sum: Double

    /// The weight of each class.
    let ofClass: [Double]

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
        let classWeights = classWeights ?? Array(repeating: 1, count: classCount)
        ofClass = classWeights
        self.labelSmoothing = labelSmoothing
        self.classCount = Double(classCount)
        classSum = classWeights.reduce(0, +)
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

    /// What a sample adds to the sum that is divided by Σ w.
    func crossEntropy(_ softmax: Softmax, label: Int) -> Double {
        let logProbabilities = softmax.logProbabilities
        guard labelSmoothing > 0 else { return ofClass[label] * -logProbabilities[label] }
        var spread = 0.0
        for index in logProbabilities.indices { spread += ofClass[index] * -logProbabilities[index] }
        return (1 - labelSmoothing) * ofClass[label] * -logProbabilities[label]
            + labelSmoothing / classCount * spread
    }

    /// Writes the last pass's seed to a column: the derivative of the mean cross-entropy by the logits, w (p − y) / Σ w and
    /// the same for the classes that smoothing adds, times a factor; and (∂s/∂z)ᵀ ż where a tangent is given.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    func writeAdjoint<Scalar: NetworkScalar>(
        of softmax: Softmax, label: Int, scale: Double = 1, target: PenaltyTarget,
        tangent: UnsafePointer<Scalar>?, to adjoints: UnsafeMutablePointer<Scalar>, column: Int,
        of columnCount: Int
    ) {
        let probabilities = softmax.probabilities
        let factor =
            switch target {
            case .sumLogProbability: Double(probabilities.count)
            case .label, .predicted: 1.0
            case .logitsSum, .logitJacobian: 0.0
            }
        var mean = 0.0
        if let tangent {
            for index in probabilities.indices {
                mean += probabilities[index] * Double(tangent[index * columnCount + column])
            }
        }
        for index in probabilities.indices {
            let position = index * columnCount + column
            var derivative = -softmax.difference(from: label, at: index) * ofClass[label] / sum
            if labelSmoothing > 0 {
                let spread = classSum * probabilities[index] - ofClass[index]
                derivative =
                    (1 - labelSmoothing) * derivative + labelSmoothing / classCount * spread / sum
            }
            var adjoint = scale * derivative
            if let tangent {
                adjoint -= factor * probabilities[index] * (Double(tangent[position]) - mean)
            }
            adjoints[position] = Scalar(adjoint)
        }
    }
}
