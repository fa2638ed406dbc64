import RRTensor

/// What the values of a parameter tensor are before training.
enum InitialDistribution: Hashable, Sendable {
    /// U(−1/√fanIn, 1/√fanIn), which is `kaiming_uniform_` with a = √5: PyTorch's default for the weight and the
    /// bias of a layer whose outputs each sum over `fanIn` inputs.
    case uniform(fanIn: Int)
    /// The same value everywhere, as in PyTorch's normalisations.
    case constant(Double)

    func draw(from generator: inout SplitMix64) -> Double {
        switch self {
        case .uniform(let fanIn):
            return (2 * generator.nextUnit() - 1) * (1 / Double(max(fanIn, 1)).squareRoot())
        case .constant(let value):
            return value
        }
    }
}
