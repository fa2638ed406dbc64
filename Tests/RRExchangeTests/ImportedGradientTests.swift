import Foundation
import RRExchange
import RRExplanation
import RRNetworks
import RRTensor
import TestSupport
import Testing

/// What training makes of networks from ONNX files, beside what PyTorch's double-backward makes of the module with the file's weights.
///
/// How images, masks and vectors are drawn is in `Fixtures/reference/onnx_gradients.py`.
@Suite("Gradients of networks from ONNX files")
struct ImportedGradientTests {
    typealias Reference = ImportedNetworkTests.Reference

    @Test(
        "input gradients, loss, penalty and gradients agree with PyTorch and TensorFlow to 1e-9, float's loss to 1e-5",
        arguments: ImportedNetworkTests.references.filter { $0.training != nil })
    func training(reference: Reference) throws {
        let expected = try #require(reference.training)
        let imported = try ImportedNetwork(onnx: reference.path)
        let network = try Network<Double>(imported.model)
        let parameters = Parameters(
            layout: network.parameterLayout, values: try ForwardPass.parameters(imported.tensors, of: network)
        )
        let batch = try Self.batch(reference, classCount: imported.model.classCount)
        let (logits, inputGradients) = try InputGradients(network: network).compute(batch, at: parameters)
        var gradient: [Double] = []
        let terms = try ExplanationLoss(network: network, lambda1: expected.lambda1)
            .compute(batch, at: parameters, gradient: &gradient)
        var figures = [
            ("logits", ForwardPass.distance(logits, reference.logits)),
            ("input gradient", expected.distance(of: inputGradients, 0, from: expected.inputGradient)),
            ("cross-entropy", ForwardPass.distance([terms.crossEntropy], [expected.crossEntropy])),
            ("penalty", ForwardPass.distance([try #require(terms.penalty)], [expected.penalty])),
        ]
        var largest = 0.0
        // A bias before a normalisation has a gradient of 0, but for rounding.
        let floor = 1e-6 * (expected.gradients.map { $0.gradient[2] }.max() ?? 0)
        for (number, weight) in expected.gradients.enumerated() {
            let entry = try #require(
                network.parameterLayout.entries.first {
                    $0.isTrained && weight.isThat(of: parameters.values[$0.range])
                }, "no parameter begins with \(weight.first)")
            let distance = expected.distance(
                of: gradient[entry.range], number + 1, from: weight.gradient, floor: floor)
            #expect(distance < 1e-9, "\(entry.name)")
            largest = max(largest, distance)
        }
        figures.append(("gradients", largest))
        for (name, distance) in figures { #expect(distance < 1e-9, "\(name)") }

        let narrow = try Network<Float>(imported.model)
        var narrowGradient: [Float] = []
        let narrowTerms = try ExplanationLoss(network: narrow, lambda1: expected.lambda1).compute(
            batch,
            at: Parameters(
                layout: narrow.parameterLayout,
                values: try ForwardPass.parameters(imported.tensors, of: narrow)),
            gradient: &narrowGradient)
        let lossDistance = ForwardPass.distance([narrowTerms.loss], [terms.loss])
        #expect(lossDistance < 1e-5)
        let distances = network.parameterLayout.entries.filter(\.isTrained).map { entry in
            ForwardPass.distance(narrowGradient[entry.range].map { Double($0) }, Array(gradient[entry.range]))
        }
        figures += [
            ("float's loss", lossDistance),
            ("its gradients' median", distances.sorted()[distances.count / 2]),
            ("their largest", distances.max() ?? 0),
        ]
        reference.report(figures)
    }

    private static func batch(_ reference: Reference, classCount: Int) throws -> LabelledBatch {
        let count = ImportedNetworkTests.sampleCount
        let shape = try ImageShape(
            channels: reference.input[0], height: reference.input[1], width: reference.input[2])
        let masks = (0..<count).flatMap { sample -> [UInt8] in
            var generator = SplitMix64(seed: UInt64(1000 + sample))
            return (0..<shape.elementCount).map { _ in
                let bit = UInt8(generator.next() & 1)
                return sample == 1 ? 0 : bit
            }
        }
        return try LabelledBatch(
            imageShape: shape, images: ForwardPass.images(reference.input, sampleCount: count),
            labels: (0..<count).map { Int64($0 % classCount) }, masks: masks)
    }
}

extension ImportedNetworkTests.Reference {
    /// What PyTorch computes of a batch.
    struct Training {
        /// A trained tensor, known by the elements that it begins with.
        struct Weight: Decodable {
            let count: Int
            let first: [Double]
            let gradient: [Double]

            func isThat(of values: ArraySlice<Double>) -> Bool {
                values.count == count && values.prefix(first.count).elementsEqual(first)
            }
        }

        let lambda1: Double
        let crossEntropy: Double
        let penalty: Double
        let inputGradient: [Double]
        let gradients: [Weight]

        /// How far a tensor's sums of products with two vectors, and its largest magnitude, are from the expected ones.
        func distance<Values: Collection<Double>>(
            of tensor: Values, _ number: Int, from expected: [Double], floor: Double = 0
        ) -> Double {
            var distances = [(tensor.map(\.magnitude).max() ?? 0) - expected[2]]
            for vector in 0..<2 {
                var generator = SplitMix64(seed: UInt64(1_000_000 + 1000 * number + vector + 1))
                let sum = tensor.reduce(0.0) { $0 + $1 * (generator.nextUnit() - 0.5) }
                distances.append(sum - expected[vector])
            }
            return (distances.map(\.magnitude).max() ?? .infinity)
                / max(expected[2], floor, .leastNormalMagnitude)
        }
    }

    var training: Training? {
        guard let lambda1, let crossEntropy, let penalty, let inputGradient, let gradients else { return nil }
        return Training(
            lambda1: lambda1, crossEntropy: crossEntropy, penalty: penalty, inputGradient: inputGradient,
            gradients: gradients)
    }

    /// Prints figures where the files are one's own.
    func report(_ figures: [(String, Double)]) {
        guard ProcessInfo.processInfo.environment["RRDATA_ONNX"] != nil else { return }
        print("\(file): " + figures.map { "\($0) \(String(format: "%.1e", $1))" }.joined(separator: ", "))
    }
}
