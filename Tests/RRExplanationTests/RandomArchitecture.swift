import Foundation
import RRExplanation
import RRNetworks
import RRTensor
import TestSupport
import Testing

/// A random stack of layers with what PyTorch's double-backward makes of it; weights, images and masks follow from
/// its seed, as `Fixtures/reference/random_architectures.py` says.
struct RandomArchitecture: Decodable, CustomTestStringConvertible {
    /// The sums of products of a tensor with two vectors, and its largest magnitude.
    typealias Projections = [Double]

    let seed: UInt64
    let model: ModelDescription
    let target: PenaltyTarget
    let reduction: PenaltyReduction
    let classWeights: [Double]?
    let levels: UInt64
    let isSmooth: Bool
    let lambda1: Double
    let logits: [Double]
    let crossEntropy: Double
    let penalty: Double
    let inputGradient: Projections
    let gradients: [Projections]

    private enum CodingKeys: String, CodingKey {
        case seed, model, target, reduction, levels, lambda1, logits, penalty, gradients
        case classWeights = "class_weights"
        case isSmooth = "is_smooth"
        case crossEntropy = "cross_entropy"
        case inputGradient = "input_gradient"
    }

    private static let sampleCount = 4

    var testDescription: String { "\(seed)" }

    /// Stacks and graphs, and those of a file that somebody made many of with `random_graphs.py`.
    static let all: [RandomArchitecture] =
        read(Fixtures.path("reference/random-architectures.json"))
        + read(Fixtures.path("reference/random-graphs.json"))
        + (ProcessInfo.processInfo.environment["RRDATA_RANDOM_GRAPHS"].map(read) ?? [])

    private static func read(_ path: String) -> [RandomArchitecture] {
        let data = FileManager.default.contents(atPath: path) ?? Data()
        return (try? JSONDecoder().decode([RandomArchitecture].self, from: data)) ?? []
    }

    /// The names of all layers, those inside blocks too.
    var layerNames: Set<String> { Self.names(model.layers) }

    private static func names(_ layers: [LayerDescription]) -> Set<String> {
        layers.reduce(into: []) { names, layer in
            names.insert(layer.name)
            for branch in layer.branches { names.formUnion(Self.names(branch)) }
        }
    }

    /// The training step that dropout draws for.
    var dropout: DropoutKey { DropoutKey(seed: seed, step: 0) }

    /// The parameters and the batch, in the order of the seed's stream.
    func values<Scalar: NetworkScalar>(
        for network: Network<Scalar>
    ) throws -> (parameters: Parameters<Scalar>, batch: LabelledBatch) {
        var generator = SplitMix64(seed: seed)
        var values: [Scalar] = []
        for entry in network.parameterLayout.entries {
            let isKernel = entry.shape.count == 2 || entry.shape.count == 4
            let fan = isKernel ? entry.shape.dropFirst().reduce(1, *) : 1
            for _ in entry.range {
                let unit = generator.nextUnit()
                let isVariance = entry.name.hasSuffix("running_var")
                values.append(Scalar(isVariance ? 0.5 + unit : (2 * unit - 1) / Double(fan).squareRoot()))
            }
        }
        let elementCount = model.input.elementCount
        let bits = levels == 0 ? 24 : levels.trailingZeroBitCount
        let images = (0..<Self.sampleCount * elementCount).map { _ in
            Float(generator.next() >> (64 - bits)) / Float(1 << bits)
        }
        let masks = (0..<Self.sampleCount).flatMap { sample in
            (0..<elementCount).map { _ in sample == 1 ? 0 : UInt8(generator.next() & 1) }
        }
        let labels = (0..<Self.sampleCount).map { Int64($0 % model.classCount) }
        return (
            Parameters(layout: network.parameterLayout, values: values),
            try LabelledBatch(imageShape: model.input, images: images, labels: labels, masks: masks)
        )
    }

    /// How far a tensor is from the expected one: the difference of its projections and of its largest magnitude,
    /// relative to that magnitude or to `floor`.
    ///
    /// - Parameter number: 0 for the input gradient, 1 for the first trained tensor.
    func distance<Values: Collection<Double>>(
        of tensor: Values, _ number: Int, from expected: Projections, floor: Double = 0
    ) -> Double {
        var distances = [(tensor.map(\.magnitude).max() ?? 0) - expected[2]]
        for vector in 0..<2 {
            var generator = SplitMix64(seed: seed + 1000 * UInt64(2 * number + vector + 1))
            let sum = tensor.reduce(0.0) { $0 + $1 * (generator.nextUnit() - 0.5) }
            distances.append(sum - expected[vector])
        }
        let scale = max(expected[2], floor, .leastNormalMagnitude)
        return (distances.map(\.magnitude).max() ?? .infinity) / scale
    }
}
