import Glibc
import RRTensor

/// z = log(1 + exp(βx)) / β, and x itself where βx exceeds 20, as PyTorch's does.
struct SoftplusLayer<Scalar: NetworkScalar>: Layer {
    let inputShape: ImageShape
    let beta: Double

    var outputShape: ImageShape { inputShape }
    var parameters: [ParameterSpecification] { [] }

    func makeScratch(capacity: Int) -> LayerScratch<Scalar> { LayerScratch() }

    func forward(
        _ group: LayerGroup<Scalar>, input: UnsafePointer<Scalar>, output: UnsafeMutablePointer<Scalar>
    ) {
        Softplus.values(of: input, beta: beta, into: output, count: count(group))
    }

    func reverse(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, outputCotangent: UnsafePointer<Scalar>,
        inputCotangent: UnsafeMutablePointer<Scalar>
    ) {
        Softplus.scale(
            outputCotangent, at: point.input, beta: beta, into: inputCotangent, count: count(group))
    }

    func tangent(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, inputTangent: UnsafePointer<Scalar>,
        outputTangent: UnsafeMutablePointer<Scalar>
    ) {
        Softplus.scale(inputTangent, at: point.input, beta: beta, into: outputTangent, count: count(group))
    }

    func gradient(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, secondOrder: SecondOrder<Scalar>?,
        outputAdjoint: UnsafePointer<Scalar>, inputAdjoint: UnsafeMutablePointer<Scalar>?,
        parameterGradient: UnsafeMutablePointer<Scalar>
    ) {
        guard let inputAdjoint else { return }
        let count = count(group)
        Softplus.scale(outputAdjoint, at: point.input, beta: beta, into: inputAdjoint, count: count)
        if let secondOrder {
            Softplus.addCurvature(
                secondOrder.inputTangent, secondOrder.outputCotangent, at: point.input, beta: beta,
                to: inputAdjoint, count: count)
        }
    }

    private func count(_ group: LayerGroup<Scalar>) -> Int { inputShape.elementCount * group.sampleCount }
}

/// The function and its first two derivatives, computed in double.
private enum Softplus {
    private static let linearFrom = 20.0

    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    static func values<Scalar: NetworkScalar>(
        of inputs: UnsafePointer<Scalar>, beta: Double, into result: UnsafeMutablePointer<Scalar>, count: Int
    ) {
        for index in 0..<count {
            let scaled = Double(inputs[index]) * beta
            result[index] = scaled > linearFrom ? inputs[index] : Scalar(log1p(exp(scaled)) / beta)
        }
    }

    /// Multiplies by the first derivative, the logistic function of βx.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    static func scale<Scalar: NetworkScalar>(
        _ values: UnsafePointer<Scalar>, at inputs: UnsafePointer<Scalar>, beta: Double,
        into result: UnsafeMutablePointer<Scalar>, count: Int
    ) {
        for index in 0..<count {
            result[index] = Scalar(Double(values[index]) * slope(Double(inputs[index]) * beta))
        }
    }

    /// Adds ẋ · δ times the second derivative.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    static func addCurvature<Scalar: NetworkScalar>(
        _ tangents: UnsafePointer<Scalar>, _ cotangents: UnsafePointer<Scalar>,
        at inputs: UnsafePointer<Scalar>, beta: Double, to result: UnsafeMutablePointer<Scalar>, count: Int
    ) {
        for index in 0..<count {
            let slope = slope(Double(inputs[index]) * beta)
            let curvature = beta * slope * (1 - slope)
            result[index] += Scalar(Double(tangents[index]) * Double(cotangents[index]) * curvature)
        }
    }

    @inline(__always)
    private static func slope(_ scaled: Double) -> Double {
        scaled > linearFrom ? 1 : 1 / (1 + exp(-scaled))
    }
}
