/// Where each named parameter of a network lies in one flat list of values.
public struct ParameterLayout: Hashable, Sendable {
    /// One parameter tensor.
    public struct Entry: Hashable, Sendable {
        /// PyTorch's name in the `state_dict()` of the same `nn.Sequential`: `0.weight`, `0.bias`, …
        public let name: String
        /// (out, in) of a linear weight, (out, in / groups, kernel, kernel) of a convolution's, (out) of a bias.
        public let shape: [Int]
        /// The elements in the flat list, row-major.
        public let range: Range<Int>
        let initial: InitialDistribution
    }

    /// The parameters in the order of the layers.
    public let entries: [Entry]

    /// The number of values of all parameters together.
    public var count: Int { entries.last?.range.upperBound ?? 0 }

    /// Lays tensors one after the other.
    init(_ parameters: [ParameterSpecification]) {
        var offset = 0
        entries = parameters.map { parameter in
            let range = offset..<offset + parameter.elementCount
            offset = range.upperBound
            return Entry(
                name: parameter.name, shape: parameter.shape, range: range, initial: parameter.initial)
        }
    }
}
