import Glibc

/// A function of one number that a layer applies to every element, with its first two derivatives.
///
/// The definitions are PyTorch's, computed in double whatever the network's number type.
enum Activation: Hashable, Sendable {
    /// x above 0, else `negativeSlope` · x; at 0 the derivative is `negativeSlope`, as in PyTorch.
    case leakyRectifier(negativeSlope: Double)
    /// x Φ(x), with Φ the distribution function of the standard normal distribution, or, approximated,
    /// x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2.
    case gaussianErrorLinear(LayerDescription.Approximation)
    /// x σ(x), with σ the logistic function.
    case sigmoidLinear
    /// log(1 + exp(βx)) / β, and x itself where βx exceeds 20, as in PyTorch.
    case softplus(beta: Double)
    case tanh
    /// min(max(x, 0), 6); the derivative at 0 and at 6 is 0, as in PyTorch.
    case clippedRectifier
    /// min(max(x + 3, 0), 6) / 6.
    case hardSigmoid
    /// x times the hard sigmoid of x.
    case hardSigmoidLinear
    /// σ(x) = 1 / (1 + exp(−x)).
    case sigmoid
    /// x above 0, else α (exp(x) − 1).
    case exponentialLinear(alpha: Double)

    /// Whether φ'' is other than 0 anywhere.
    var isCurved: Bool {
        switch self {
        case .leakyRectifier, .clippedRectifier, .hardSigmoid: false
        case .gaussianErrorLinear, .sigmoidLinear, .softplus, .tanh, .hardSigmoidLinear, .sigmoid,
            .exponentialLinear:
            true
        }
    }

    /// φ(x).
    @inline(__always)
    func value(at x: Double) -> Double {
        switch self {
        case .leakyRectifier(let negativeSlope):
            return x > 0 ? x : negativeSlope * x
        case .gaussianErrorLinear(.none):
            return x * Self.normalDistribution(x)
        case .gaussianErrorLinear(.tanh):
            return 0.5 * x * (1 + Glibc.tanh(Self.tanhArgument(x)))
        case .sigmoidLinear:
            return x * Self.logistic(x)
        case .softplus(let beta):
            let scaled = beta * x
            return scaled > Self.softplusThreshold ? x : log1p(exp(scaled)) / beta
        case .tanh:
            return Glibc.tanh(x)
        case .clippedRectifier:
            return min(max(x, 0), 6)
        case .hardSigmoid:
            return min(max(x + 3, 0), 6) / 6
        case .hardSigmoidLinear:
            return x * min(max(x + 3, 0), 6) / 6
        case .sigmoid:
            return Self.logistic(x)
        case .exponentialLinear(let alpha):
            return x > 0 ? x : alpha * expm1(x)
        }
    }

    /// φ'(x) and φ''(x).
    @inline(__always)
    func derivatives(at x: Double) -> (slope: Double, curvature: Double) {
        switch self {
        case .leakyRectifier(let negativeSlope):
            return (x > 0 ? 1 : negativeSlope, 0)
        case .gaussianErrorLinear(.none):
            let density = Self.inverseRootOfTwoPi * exp(-0.5 * x * x)
            return (Self.normalDistribution(x) + x * density, density * (2 - x * x))
        case .gaussianErrorLinear(.tanh):
            // With t = tanh u: t' = (1 − t²) u', and the product rule for x (1 + t) / 2.
            let tanh = Glibc.tanh(Self.tanhArgument(x))
            let first = Self.rootOfTwoOverPi * (1 + 3 * Self.cubicFactor * x * x)
            let second = Self.rootOfTwoOverPi * 6 * Self.cubicFactor * x
            let slope = (1 - tanh * tanh) * first
            let curvature = (1 - tanh * tanh) * second - 2 * tanh * slope * first
            return (0.5 * (1 + tanh + x * slope), slope + 0.5 * x * curvature)
        case .sigmoidLinear:
            let sigmoid = Self.logistic(x)
            // 1 − σ(x), to its last digit.
            let complement = Self.logistic(-x)
            let slope = sigmoid * complement
            return (sigmoid + x * slope, slope * (2 + x * (complement - sigmoid)))
        case .softplus(let beta):
            let scaled = beta * x
            guard scaled <= Self.softplusThreshold else { return (1, 0) }
            let slope = Self.logistic(scaled)
            return (slope, beta * slope * (1 - slope))
        case .tanh:
            let tanh = Glibc.tanh(x)
            let slope = 1 - tanh * tanh
            return (slope, -2 * tanh * slope)
        case .clippedRectifier:
            return (x > 0 && x < 6 ? 1 : 0, 0)
        case .hardSigmoid:
            return (x > -3 && x < 3 ? 1 / 6 : 0, 0)
        case .hardSigmoidLinear:
            guard x > -3 else { return (0, 0) }
            return x < 3 ? (x / 3 + 0.5, 1 / 3) : (1, 0)
        case .sigmoid:
            let sigmoid = Self.logistic(x)
            let complement = Self.logistic(-x)
            let slope = sigmoid * complement
            return (slope, slope * (complement - sigmoid))
        case .exponentialLinear(let alpha):
            guard x <= 0 else { return (1, 0) }
            let slope = alpha * exp(x)
            return (slope, slope)
        }
    }
}

extension Activation {
    private static var softplusThreshold: Double { 20 }
    private static var rootOfTwoOverPi: Double { 0.797_884_560_802_865_4 }
    private static var inverseRootOfTwoPi: Double { 0.398_942_280_401_432_7 }
    private static var cubicFactor: Double { 0.044715 }

    @inline(__always)
    private static func logistic(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

    /// Φ(x), by erfc: 1 + erf would lose the digits of the left tail.
    @inline(__always)
    private static func normalDistribution(_ x: Double) -> Double { 0.5 * erfc(-x * 0.5.squareRoot()) }

    @inline(__always)
    private static func tanhArgument(_ x: Double) -> Double {
        rootOfTwoOverPi * (x + cubicFactor * x * x * x)
    }
}
