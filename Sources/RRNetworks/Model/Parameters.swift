public import RRTensor

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
        /// What is added to the variances of a frozen batch normalisation before their root divides; nil for any other
        /// tensor.
        package let epsilon: Double?
        let initial: InitialDistribution

        /// Tells whether the parameter is of a layer, or of one inside it.
        package func isIn(layer: String) -> Bool { name == layer || name.hasPrefix(layer + ".") }
    }

    /// The parameters in the order of the layers.
    public let entries: [Entry]

    /// The values of the head: the last layer that has any, which gives the logits.
    public let head: Range<Int>

    /// The number of values of all parameters together.
    public var count: Int { entries.last?.range.upperBound ?? 0 }

    /// The values that training moves, in as few ranges as they make.
    ///
    /// - Parameter frozenLayers: the layers that are left as they are all the same, as `isFrozen` takes them.
    package func trainedRanges(except frozenLayers: [String] = []) -> [Range<Int>] {
        let frozen = frozenLayers.map(frozenValues)
        return entries.filter { entry in
            entry.isTrained && !frozen.contains { $0(entry) }
        }.reduce(into: []) { ranges, entry in
            if let last = ranges.last, last.upperBound == entry.range.lowerBound {
                ranges[ranges.count - 1] = last.lowerBound..<entry.range.upperBound
            } else {
                ranges.append(entry.range)
            }
        }
    }

    /// Whether any parameter is of the layers that a text names.
    package func hasLayers(_ text: String) -> Bool {
        let isMeant = frozenValues(text)
        return entries.contains(where: isMeant)
    }

    /// The parameters that a text names: those of a layer by the beginning of their names, `..layer2` that layer and all
    /// before it, and `backbone` all but the head.
    private func frozenValues(_ text: String) -> (Entry) -> Bool {
        if text == "backbone", !entries.contains(where: { $0.isIn(layer: text) }) {
            return { !head.contains($0.range.lowerBound) }
        }
        guard text.hasPrefix("..") else { return { $0.isIn(layer: text) } }
        let layer = String(text.dropFirst(2))
        let end = entries.last { $0.isIn(layer: layer) }?.range.upperBound ?? 0
        return { $0.range.lowerBound < end }
    }

    /// The layers that have parameters, each once, those in one stage of a large network together.
    package var layerNames: [String] {
        let depth = entries.count > 40 ? 2 : Int.max
        return entries.reduce(into: []) { names, entry in
            let parts = entry.name.split(separator: ".").dropLast().prefix(depth)
            let name = parts.joined(separator: ".")
            if names.last != name { names.append(name) }
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

    /// Checks that tensors are the network's, by their names and shapes.
    ///
    /// - Throws: `NetworkError` with the code `weightsMismatch` where a tensor is missing, is not one of the network's, or
    ///   has another shape.
    package func check(_ shapes: [String: [Int]]) throws(NetworkError) {
        let known = Set(entries.map(\.name))
        if let stranger = shapes.keys.filter({ !known.contains($0) && !ignores($0) }).min() {
            throw NetworkError(
                .weightsMismatch, stranger,
                "is not a parameter of this model, which has \(entries.map(\.name).joined(separator: ", "))")
        }
        for entry in entries {
            guard let shape = shapes[entry.name] else {
                throw NetworkError(.weightsMismatch, entry.name, "is missing from the weights")
            }
            guard shape == entry.shape else {
                let shape = shape.map(String.init).joined(separator: ", ")
                throw NetworkError(
                    .weightsMismatch, entry.name,
                    "has the shape (\(shape)) in the weights, but \(entry.shape) in the model")
            }
        }
    }

    /// Lays tensors one after the other.
    ///
    /// - Parameter headStart: where the values of the head begin.
    init(_ parameters: [ParameterSpecification], headStart: Int = 0) {
        head = headStart..<parameters.reduce(0) { $0 + $1.elementCount }
        var offset = 0
        entries = parameters.map { parameter in
            let range = offset..<offset + parameter.elementCount
            offset = range.upperBound
            return Entry(
                name: parameter.name, shape: parameter.shape, range: range,
                isTrained: parameter.isTrained, epsilon: parameter.epsilon, initial: parameter.initial)
        }
    }
}

/// The values of a network's parameters.
public struct Parameters<Scalar: NetworkScalar>: Equatable, Sendable {
    public let layout: ParameterLayout

    /// All values in one list; `layout` says which belong to which tensor.
    public package(set) var values: [Scalar]

    package init(layout: ParameterLayout, values: [Scalar]) {
        self.layout = layout
        self.values = values
    }

    /// Creates parameters from named tensors, in any order; PyTorch's `num_batches_tracked` is passed over.
    ///
    /// - Throws: `NetworkError` with the code `weightsMismatch` where a tensor is missing, is not one of the
    ///   network's, or has another shape.
    public init(layout: ParameterLayout, named tensors: [String: Tensor<Scalar>]) throws(NetworkError) {
        try layout.check(tensors.mapValues(\.shape.dimensions))
        var values: [Scalar] = []
        values.reserveCapacity(layout.count)
        for entry in layout.entries { values += tensors[entry.name]?.elements ?? [] }
        self.layout = layout
        self.values = values
    }

    /// The values of one parameter tensor, row-major.
    public func values(of entry: ParameterLayout.Entry) -> ArraySlice<Scalar> { values[entry.range] }

    /// Lets an optimiser of one's own change the values where they are.
    ///
    /// - Parameter body: takes all values, in the order of `values`; they are gone when it returns. Those of entries
    ///   that are not trained are to be left as they are.
    /// - Throws: what the body throws.
    public mutating func withUnsafeMutableValues<Result, Failure: Error>(
        _ body: (UnsafeMutableBufferPointer<Scalar>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try values.withUnsafeMutableBufferPointer { values throws(Failure) in try body(values) }
    }
}
