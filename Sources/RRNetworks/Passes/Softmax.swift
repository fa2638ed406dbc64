internal import Glibc

/// The softmax of one sample's logits, in double.
package struct Softmax {
    /// p, one a class.
    package private(set) var probabilities: [Double]
    /// log p, one a class.
    package private(set) var logProbabilities: [Double]
    /// The class with the largest logit, the first of equal ones.
    package private(set) var prediction = 0

    init(classCount: Int) {
        probabilities = Array(repeating: 0, count: classCount)
        logProbabilities = probabilities
    }

    /// Takes the logits from a column of a matrix (classes, samples).
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    mutating func update<Scalar: NetworkScalar>(
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
}
