public import RRTensor

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
        let known = Set(layout.entries.map(\.name))
        if let stranger = tensors.keys.filter({ !known.contains($0) && !layout.ignores($0) }).min() {
            throw NetworkError(
                .weightsMismatch, stranger,
                "is not a parameter of this model, which has \(layout.entries.map(\.name).joined(separator: ", "))"
            )
        }
        var values: [Scalar] = []
        values.reserveCapacity(layout.count)
        for entry in layout.entries {
            guard let tensor = tensors[entry.name] else {
                throw NetworkError(.weightsMismatch, entry.name, "is missing from the weights")
            }
            guard tensor.shape.dimensions == entry.shape else {
                throw NetworkError(
                    .weightsMismatch, entry.name,
                    "has the shape \(tensor.shape) in the weights, but \(entry.shape) in the model")
            }
            values += tensor.elements
        }
        self.layout = layout
        self.values = values
    }

    /// The values of one parameter tensor, row-major.
    public func values(of entry: ParameterLayout.Entry) -> ArraySlice<Scalar> { values[entry.range] }
}
