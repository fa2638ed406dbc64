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
        /// False for what training leaves as it is: the statistics of a frozen batch normalisation.
        public let isTrained: Bool
        let initial: InitialDistribution
    }

    /// The parameters in the order of the layers.
    public let entries: [Entry]

    /// The number of values of all parameters together.
    public var count: Int { entries.last?.range.upperBound ?? 0 }

    /// The values that training moves, in as few ranges as they make.
    ///
    /// - Parameter isFrozen: tells by its name whether a parameter is left as it is all the same.
    package func trainedRanges(except isFrozen: (String) -> Bool = { _ in false }) -> [Range<Int>] {
        entries.filter { $0.isTrained && !isFrozen($0.name) }.reduce(into: []) { ranges, entry in
            if let last = ranges.last, last.upperBound == entry.range.lowerBound {
                ranges[ranges.count - 1] = last.lowerBound..<entry.range.upperBound
            } else {
                ranges.append(entry.range)
            }
        }
    }

    /// Whether a name is of a tensor that PyTorch stores beside the network's and that no computation here
    /// uses: the number of batches that a batch normalisation has seen.
    package func ignores(_ name: String) -> Bool {
        let suffix = "num_batches_tracked"
        guard name.hasSuffix(".\(suffix)") else { return false }
        let statistics = name.dropLast(suffix.count) + "running_mean"
        return entries.contains { $0.name == statistics }
    }

    /// Lays tensors one after the other.
    init(_ parameters: [ParameterSpecification]) {
        var offset = 0
        entries = parameters.map { parameter in
            let range = offset..<offset + parameter.elementCount
            offset = range.upperBound
            return Entry(
                name: parameter.name, shape: parameter.shape, range: range,
                isTrained: parameter.isTrained, initial: parameter.initial)
        }
    }
}
