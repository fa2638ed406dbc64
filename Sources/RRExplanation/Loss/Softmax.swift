import Glibc
package import RRNetworks

/// The softmax of one sample's logits, in double, and the seeds of the passes that follow from it.
///
/// The seeds are those of the design's §5: s = ∂T/∂z for a target T, and (∂s/∂z)ᵀ ż. Where a seed is 1 − p of
/// one class, it is summed from the other classes: near certainty the difference would have lost its digits.
package struct Softmax {
    /// p, one a class.
    private(set) var probabilities: [Double]
    /// log p, one a class.
    private(set) var logProbabilities: [Double]
    /// The class with the largest logit, the first of equal ones.
    package private(set) var prediction = 0

    package init(classCount: Int) {
        probabilities = Array(repeating: 0, count: classCount)
        logProbabilities = probabilities
    }

    /// Takes the logits from a column of a matrix (classes, samples).
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    package mutating func update<Scalar: NetworkScalar>(
        logits: UnsafePointer<Scalar>, column: Int, of columnCount: Int
    ) {
        prediction = 0
        var largest = Double(logits[column])
        for index in probabilities.indices {
            let logit = Double(logits[index * columnCount + column])
            logProbabilities[index] = logit
            if logit > largest {
                largest = logit
                prediction = index
            }
        }
        // Below the largest, so that near certainty log p is not the difference of two large numbers.
        var sum = 0.0
        for index in probabilities.indices {
            logProbabilities[index] -= largest
            probabilities[index] = exp(logProbabilities[index])
            sum += probabilities[index]
        }
        let logSum = log(sum)
        for index in probabilities.indices {
            probabilities[index] /= sum
            logProbabilities[index] -= logSum
        }
    }

    /// −log p of a class.
    package func crossEntropy(label: Int) -> Double { -logProbabilities[label] }

    /// Writes s to a column.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    package func writeSeed<Scalar: NetworkScalar>(
        _ target: PenaltyTarget, label: Int, to seeds: UnsafeMutablePointer<Scalar>, column: Int,
        of columnCount: Int
    ) {
        let classCount = Double(probabilities.count)
        for index in probabilities.indices {
            let seed =
                switch target {
                case .sumLogProbability: 1 - classCount * probabilities[index]
                case .label: difference(from: label, at: index)
                case .predicted: difference(from: prediction, at: index)
                case .logitsSum: 1.0
                }
            seeds[index * columnCount + column] = Scalar(seed)
        }
    }

    /// Writes the last pass's seed to a column: w (p − y) / Σ w, and (∂s/∂z)ᵀ ż where a tangent is given.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    func writeAdjoint<Scalar: NetworkScalar>(
        label: Int, weights: LabelWeights, target: PenaltyTarget, tangent: UnsafePointer<Scalar>?,
        to adjoints: UnsafeMutablePointer<Scalar>, column: Int, of columnCount: Int
    ) {
        let factor =
            switch target {
            case .sumLogProbability: Double(probabilities.count)
            case .label, .predicted: 1.0
            case .logitsSum: 0.0
            }
        var mean = 0.0
        if let tangent {
            for index in probabilities.indices {
                mean += probabilities[index] * Double(tangent[index * columnCount + column])
            }
        }
        for index in probabilities.indices {
            let position = index * columnCount + column
            var adjoint = weights.logitGradient(
                self, label: label, difference: difference(from: label, at: index), at: index)
            if let tangent {
                adjoint -= factor * probabilities[index] * (Double(tangent[position]) - mean)
            }
            adjoints[position] = Scalar(adjoint)
        }
    }

    /// Writes the derivative of the mean cross-entropy by the logits, times a factor, to a column.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    func writeCrossEntropySeed<Scalar: NetworkScalar>(
        label: Int, weights: LabelWeights, scale: Double, to seeds: UnsafeMutablePointer<Scalar>,
        column: Int, of columnCount: Int
    ) {
        for index in probabilities.indices {
            let derivative = weights.logitGradient(
                self, label: label, difference: difference(from: label, at: index), at: index)
            seeds[index * columnCount + column] = Scalar(scale * derivative)
        }
    }

    /// (e_c − p)_k for a class c.
    private func difference(from chosen: Int, at index: Int) -> Double {
        guard index == chosen else { return -probabilities[index] }
        var others = 0.0
        for other in probabilities.indices where other != chosen { others += probabilities[other] }
        return others
    }
}
