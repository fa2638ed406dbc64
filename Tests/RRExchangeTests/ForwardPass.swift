import RRFormats
import RRNetworks
import RRTensor
import Testing

/// The logits of a network.
enum ForwardPass {
    /// The logits of samples, one sample's after the other's.
    ///
    /// - Parameter images: (N, C, H, W).
    static func logits<Scalar: NetworkScalar>(
        of network: Network<Scalar>, _ parameters: [Scalar], images: [Float], sampleCount: Int
    ) -> [Double] {
        var network = network
        network.groupLimits = .largeMaps
        let pass = GroupPass(network: network, capacity: sampleCount)
        pass.load(SharedElements(images), samples: Array(0..<sampleCount)[...])
        pass.forward(parameters)
        return (0..<sampleCount).flatMap { sample in
            (0..<network.model.classCount).map { Double(pass.logits[$0 * pass.columnCount + sample]) }
        }
    }

    /// The parameters of a network among tensors.
    static func parameters<Scalar: NetworkScalar>(
        _ tensors: [SafeTensor], of network: Network<Scalar>
    ) throws -> [Scalar] {
        let named = Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0) })
        return try network.parameterLayout.entries.flatMap { entry in
            let tensor = try #require(named[entry.name], "\(entry.name)")
            #expect(tensor.shape == entry.shape, "\(entry.name)")
            return try tensor.values(as: Scalar.self)
        }
    }

    /// The images of a reference: sample n is drawn from the seed n.
    static func images(_ shape: [Int], sampleCount: Int) -> [Float] {
        (0..<sampleCount).flatMap { sample -> [Float] in
            var generator = SplitMix64(seed: UInt64(sample))
            return (0..<shape.reduce(1, *)).map { _ in Float(generator.next() >> 40) / Float(1 << 24) }
        }
    }

    /// The largest difference, by the largest value.
    static func distance(_ values: [Double], _ expected: [Double]) -> Double {
        guard values.count == expected.count else { return .infinity }
        let largest = expected.reduce(1e-300) { max($0, $1.magnitude) }
        return zip(values, expected).reduce(0) { max($0, ($1.0 - $1.1).magnitude) } / largest
    }
}
