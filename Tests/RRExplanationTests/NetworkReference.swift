import Foundation
import RRExplanation
import RRNetworks
import RRTensor
import TestSupport
import Testing

/// One of torchvision's networks with what PyTorch's double-backward makes of it; weights, images and masks follow from
/// its seed, as `Fixtures/reference/networks.py` says.
struct NetworkReference: Decodable, CustomTestStringConvertible {
    /// The sums of products of a tensor with two vectors, and its largest magnitude.
    typealias Projections = [Double]

    struct Trajectory: Decodable {
        let learningRate: Double
        let losses: [Double]
        let weights: [String: Projections]

        private enum CodingKeys: String, CodingKey {
            case losses, weights
            case learningRate = "learning_rate"
        }
    }

    let name: String
    let width: Double
    let extent: Int
    let classes: Int
    let seed: UInt64
    let lambda1: Double
    let state: [String: [Int]]
    let logits: [Double]
    let crossEntropy: Double
    let penalty: Double
    let inputGradient: Projections
    let gradients: [String: Projections]
    let trajectory: Trajectory?

    private enum CodingKeys: String, CodingKey {
        case name, width, extent, classes, seed, lambda1, state, logits, penalty, gradients, trajectory
        case crossEntropy = "cross_entropy"
        case inputGradient = "input_gradient"
    }

    private static let sampleCount = 3

    var testDescription: String { "\(name) at \(extent)×\(extent) with \(classes) classes" }

    /// Whether the networks are those of a file that somebody made, whose figures are wanted too.
    static let areOneOwn = ProcessInfo.processInfo.environment["RRDATA_NETWORKS"] != nil

    /// Narrow networks, or those of a file that somebody made of the real ones.
    static let all = ProcessInfo.processInfo.environment["RRDATA_NETWORKS"].map(read) ?? narrow

    static let narrow = read(Fixtures.path("reference/networks.json"))

    private static func read(_ path: String) -> [NetworkReference] {
        let data = FileManager.default.contents(atPath: path) ?? Data()
        return (try? JSONDecoder().decode([NetworkReference].self, from: data)) ?? []
    }

    /// The network as the name gives it.
    func model() throws -> ModelDescription {
        try #require(BuiltInModel(rawValue: name)).description(
            input: ImageShape(channels: 3, height: extent, width: extent), classCount: classes, width: width)
    }

    /// Prints figures where the networks are one's own.
    func report(_ figures: [(String, Double)]) {
        guard Self.areOneOwn else { return }
        let words = figures.map { "\($0) \(String(format: "%.1e", $1))" }.joined(separator: ", ")
        print("\(testDescription): \(words)")
    }

    /// Writes a gradient in float for `float_decisions.py`, one tensor after the other as their names are listed, where
    /// somebody wants it.
    func keep(_ gradient: [Float], _ layout: ParameterLayout, draw: UInt64) throws {
        guard let folder = ProcessInfo.processInfo.environment["RRDATA_FLOAT_GRADIENTS"] else { return }
        let entries = layout.entries.filter(\.isTrained)
        let start = URL(fileURLWithPath: folder).appendingPathComponent("\(name)-\(draw)")
        try JSONEncoder().encode(entries.map(\.name)).write(to: start.appendingPathExtension("json"))
        let values = entries.flatMap { gradient[$0.range] }
        try values.withUnsafeBytes { Data($0) }.write(to: start.appendingPathExtension("bin"))
    }

    /// The number of each name.
    private var numbers: [String: UInt64] {
        let names = state.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        return Dictionary(uniqueKeysWithValues: zip(names, 1...))
    }

    /// - Parameter roundsToSingle: whether the values are those that float has.
    func parameters<Scalar: NetworkScalar>(
        of network: Network<Scalar>, roundsToSingle: Bool = false
    ) throws -> Parameters<Scalar> {
        let entries = network.parameterLayout.entries
        let last = entries.last { $0.shape.count == 2 }?.name
        let numbers = numbers
        var values: [Scalar] = []
        values.reserveCapacity(network.parameterLayout.count)
        for entry in entries {
            var generator = SplitMix64(seed: seed + 1000 * (try #require(numbers[entry.name])))
            let fan = Double(entry.shape.dropFirst().reduce(1, *))
            let bound = (6 / fan).squareRoot() / (entry.name == last ? 4 : 1)
            let isKernel = [2, 4].contains(entry.shape.count)
            let isVariance = entry.name.hasSuffix("running_var")
            let isScale = entry.name.hasSuffix("weight") || entry.name.hasSuffix("layer_scale")
            for _ in entry.range {
                let unit = generator.nextUnit()
                let value =
                    isKernel
                    ? (2 * unit - 1) * bound
                    : isVariance ? 0.5 + unit : isScale ? 0.6 + 0.8 * unit : 0.4 * unit - 0.2
                values.append(roundsToSingle ? Scalar(Float(value)) : Scalar(value))
            }
        }
        return Parameters(layout: network.parameterLayout, values: values)
    }

    /// - Parameters:
    ///   - count: the number of samples; the second has no mask.
    ///   - draw: 0 for the images of the reference, or others.
    func batch(count: Int = sampleCount, draw: UInt64 = 0) throws -> LabelledBatch {
        let shape = try ImageShape(channels: 3, height: extent, width: extent)
        var (pixels, marks) = (SplitMix64(seed: seed + 100 * draw), SplitMix64(seed: seed + 100 * draw + 3))
        let images = (0..<count * shape.elementCount).map { _ in
            Float(pixels.next() >> 40) / Float(1 << 24)
        }
        let masks = images.indices.map { index in
            let mark = UInt8(marks.next() & 1)
            return index / shape.elementCount == 1 ? 0 : mark
        }
        return try LabelledBatch(
            imageShape: shape, images: images, labels: (0..<count).map { Int64($0 % classes) },
            masks: masks)
    }

    /// How far a tensor is from the expected one, relative to its largest magnitude.
    ///
    /// - Parameter name: nil for the input gradient.
    func distance<Values: Collection<Double>>(
        of tensor: Values, _ name: String?, from expected: Projections, floor: Double = 0
    ) -> Double {
        let number = name.flatMap { numbers[$0] } ?? 0
        var distances = [(tensor.map(\.magnitude).max() ?? 0) - expected[2]]
        for vector in 0..<2 {
            var generator = SplitMix64(seed: seed + 1000 * number + UInt64(vector + 1))
            let sum = tensor.reduce(0.0) { $0 + $1 * (generator.nextUnit() - 0.5) }
            distances.append(sum - expected[vector])
        }
        return (distances.map(\.magnitude).max() ?? .infinity)
            / max(expected[2], floor, .leastNormalMagnitude)
    }
}
