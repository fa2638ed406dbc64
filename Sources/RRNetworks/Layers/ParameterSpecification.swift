internal import Glibc
package import RRTensor

/// The name, the shape and the initial distribution of one parameter tensor.
struct ParameterSpecification: Hashable, Sendable {
    let name: String
    let shape: [Int]
    let initial: InitialDistribution
    /// False for what is stored with the weights but never changes, as PyTorch's buffers.
    let isTrained: Bool
    /// What is added to variances before their root divides; nil for what is no variance.
    let epsilon: Double?

    init(
        name: String, shape: [Int], initial: InitialDistribution, isTrained: Bool = true,
        epsilon: Double? = nil
    ) {
        self.name = name
        self.shape = shape
        self.initial = initial
        self.isTrained = isTrained
        self.epsilon = epsilon
    }

    var elementCount: Int { shape.reduce(1, *) }

    /// The same tensor under the name that it has in a list of layers.
    func named(_ name: String) -> ParameterSpecification {
        ParameterSpecification(
            name: name, shape: shape, initial: initial, isTrained: isTrained, epsilon: epsilon)
    }

    /// Lists `weight` and, where the layer has one, `bias`, whose extent is the weight's first.
    static func weightAndBias(weight shape: [Int], hasBias: Bool) -> [ParameterSpecification] {
        let initial = InitialDistribution.uniform(fanIn: shape.dropFirst().reduce(1, *))
        let weight = ParameterSpecification(name: "weight", shape: shape, initial: initial)
        guard hasBias else { return [weight] }
        return [weight, ParameterSpecification(name: "bias", shape: [shape[0]], initial: initial)]
    }

    /// Lists the `weight` and the `bias` of a normalisation, which start as its identity.
    static func scaleAndShift(_ shape: [Int]) -> [ParameterSpecification] {
        [
            ParameterSpecification(name: "weight", shape: shape, initial: .constant(1)),
            ParameterSpecification(name: "bias", shape: shape, initial: .constant(0)),
        ]
    }
}

/// What the values of a parameter tensor are before training.
package enum InitialDistribution: Hashable, Sendable {
    /// U(−1/√fanIn, 1/√fanIn), which is `kaiming_uniform_` with a = √5: PyTorch's default for the weight and the
    /// bias of a layer whose outputs each sum over `fanIn` inputs.
    case uniform(fanIn: Int)
    /// The same value everywhere, as in PyTorch's normalisations.
    case constant(Double)
    /// N(0, deviation²).
    case normal(deviation: Double)

    package func draw(from generator: inout SplitMix64) -> Double {
        switch self {
        case .uniform(let fanIn):
            return (2 * generator.nextUnit() - 1) * (1 / Double(max(fanIn, 1)).squareRoot())
        case .constant(let value):
            return value
        case .normal(let deviation):
            // Box and Muller (1958); 1 − u is never 0.
            let radius = (-2 * log(1 - generator.nextUnit())).squareRoot()
            return deviation * radius * cos(2 * .pi * generator.nextUnit())
        }
    }
}
