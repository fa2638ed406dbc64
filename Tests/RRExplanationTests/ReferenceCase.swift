import Foundation
import RRExplanation
import RRNetworks
import RRTensor
import TestSupport
import Testing

/// One batch through one network, with the values that PyTorch's double-backward gives for it.
struct ReferenceCase: Decodable, CustomTestStringConvertible {
    struct Weight: Decodable {
        let shape: [Int]
        let values: [Double]
    }

    struct Dropout: Decodable {
        let seed: UInt64
        let step: Int
    }

    struct Evaluation: Decodable {
        let target: PenaltyTarget
        let reduction: PenaltyReduction
        let lambda1: Double
        let penalty: Double
        let loss: Double
        let gradients: [String: [Double]]
    }

    var name = ""
    let model: ModelDescription
    let images: [Float]
    let labels: [Int64]
    let masks: [UInt8]
    let indices: [Int64]?
    let classWeights: [Double]?
    private let dropout: Dropout?
    let weights: [String: Weight]
    let logits: [Double]
    let crossEntropy: Double
    let inputGradients: [String: [Double]]
    let evaluations: [Evaluation]

    private enum CodingKeys: String, CodingKey {
        case model, images, labels, masks, indices, dropout, weights, logits, evaluations
        case classWeights = "class_weights"
        case crossEntropy = "cross_entropy"
        case inputGradients = "input_gradients"
    }

    var testDescription: String { name }

    static let all: [ReferenceCase] = names.compactMap { name in
        guard
            let data = FileManager.default.contents(atPath: Fixtures.path("reference/loss-\(name).json")),
            var reference = try? JSONDecoder().decode(ReferenceCase.self, from: data)
        else { return nil }
        reference.name = name
        return reference
    }

    /// The networks that have no kinks, so that finite differences hold everywhere.
    static let smooth = all.filter { reference in
        isSmooth(reference.model.layers)
    }

    static func isSmooth(_ layers: [LayerDescription]) -> Bool {
        layers.allSatisfy { layer in
            if case .residual(let residual) = layer {
                return isSmooth(residual.body + residual.projection)
            }
            return !["relu", "leakyrelu", "prelu", "maxpool2d"].contains(layer.name)
        }
    }

    static let names = [
        "linear", "mlp-relu", "mlp-softplus", "convolution-relu", "convolution-stride-softplus",
        "softplus-overlapping-pool", "pool-first-ties", "lenet-like", "without-bias",
        "gelu-silu", "tanh-sigmoid", "leakyrelu", "maximum-pooling-ceil", "average-pooling",
        "adaptive-pooling", "dropout", "group-norm", "layer-norm", "batch-norm", "residual", "residual-relu",
        "class-weights", "residual-dropout", "slopes", "channels",
    ]

    /// The training step that the case belongs to; nil where nothing is left out.
    var dropoutKey: DropoutKey? { dropout.map { DropoutKey(seed: $0.seed, step: $0.step) } }

    func network<Scalar: NetworkScalar>(_: Scalar.Type) throws -> Network<Scalar> { try Network(model) }

    func parameters<Scalar: NetworkScalar>(of network: Network<Scalar>) throws -> Parameters<Scalar> {
        try Parameters(
            layout: network.parameterLayout,
            named: weights.mapValues {
                try Tensor(shape: TensorShape($0.shape), elements: $0.values.map { Scalar($0) })
            })
    }

    func batch(masks: [UInt8]?) throws -> LabelledBatch {
        try LabelledBatch(
            imageShape: model.input, images: images, labels: labels, masks: masks, indices: indices)
    }
}

/// The largest difference of two lists, relative to the largest magnitude in the second.
func relativeDifference<Scalar: BinaryFloatingPoint>(_ values: [Scalar], _ expected: [Double]) -> Double {
    guard values.count == expected.count else { return .infinity }
    let scale = expected.map(\.magnitude).max() ?? 0
    let difference = zip(values, expected).map { (Double($0) - $1).magnitude }.max() ?? 0
    return difference == 0 ? 0 : difference / max(scale, .leastNormalMagnitude)
}
