/// The name, the shape and the initial distribution of one parameter tensor.
struct ParameterSpecification: Hashable, Sendable {
    let name: String
    let shape: [Int]
    /// The number of inputs that one output sums over; PyTorch draws the initial values from
    /// U(−1/√fanIn, 1/√fanIn), which is `kaiming_uniform_` with a = √5.
    let fanIn: Int

    var elementCount: Int { shape.reduce(1, *) }

    /// Lists `weight` and, where the layer has one, `bias`, whose extent is the weight's first.
    static func weightAndBias(weight shape: [Int], hasBias: Bool) -> [ParameterSpecification] {
        let fanIn = shape.dropFirst().reduce(1, *)
        let weight = ParameterSpecification(name: "weight", shape: shape, fanIn: fanIn)
        guard hasBias else { return [weight] }
        return [weight, ParameterSpecification(name: "bias", shape: [shape[0]], fanIn: fanIn)]
    }
}
