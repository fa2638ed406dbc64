import Foundation
import RRExplanation
import RRNetworks
import Testing

/// What the number type and the threads leave alike in torchvision's networks.
@Suite("torchvision's networks in float, and on threads")
struct NetworkNumberTests {
    /// A first step of training, with the weights that float has or with double's.
    private static func step<Scalar: NetworkScalar>(
        _ reference: NetworkReference, draw: UInt64, as _: Scalar.Type, roundsWeights: Bool = true
    ) throws -> (logits: [Scalar], loss: Double, gradient: [Scalar]) {
        let network = try Network<Scalar>(reference.model())
        let parameters = try reference.parameters(of: network, roundsToSingle: roundsWeights)
        let batch = try reference.batch(draw: draw)
        var gradient: [Scalar] = []
        let terms = try ExplanationLoss(network: network, lambda1: reference.lambda1)
            .compute(batch, at: parameters, gradient: &gradient)
        let logits = try InputGradients(network: network).compute(batch, at: parameters).logits
        return (logits, terms.loss, gradient)
    }

    /// How far a step is from double's, as the largest difference in a tensor over its largest magnitude.
    private struct Distances {
        let logits: Double
        let loss: Double
        /// In rising order.
        private(set) var gradients: [(name: String, distance: Double)] = []

        var largest: Double { max(logits, loss, gradients.last?.distance ?? .infinity) }

        init<Scalar: NetworkScalar>(
            of step: (logits: [Scalar], loss: Double, gradient: [Scalar]),
            from expected: (logits: [Double], loss: Double, gradient: [Double]), _ layout: ParameterLayout
        ) {
            logits = relativeDifference(step.logits, expected.logits)
            loss = relativeDifference([step.loss], [expected.loss])
            for entry in layout.entries where entry.isTrained {
                let distance = relativeDifference(
                    Array(step.gradient[entry.range]), Array(expected.gradient[entry.range]))
                gradients.append((entry.name, distance))
            }
            gradients.sort { $0.distance < $1.distance }
        }
    }

    /// All but the last step have the weights that float has: what is compared is the arithmetic.
    ///
    /// Nobody computes in float what its weights do not determine: with some of these (ResNet-34's, MobileNetV2's,
    /// ConvNeXt's) rounding them to float alone moves double's gradients by 1e-5. And where the input of a rectifier is
    /// zero but for rounding, float may decide otherwise than double, which is as right and moves gradients by any amount;
    /// so it is with a few images of the large networks, in PyTorch as well (`networks.py --single`). Other images then
    /// tell it from a fault.
    @Test(
        "the first step in float is that in double to 1e-5 of each tensor's largest entry, or to what rounded weights leave",
        arguments: NetworkReference.all)
    func single(reference: NetworkReference) throws {
        let layout = try Network<Float>(reference.model()).parameterLayout
        var isClose = false
        for draw in 0..<UInt64(5) where !isClose {
            let expected = try Self.step(reference, draw: draw, as: Double.self)
            let step = try Self.step(reference, draw: draw, as: Float.self)
            try reference.keep(step.gradient, layout, draw: draw)
            let single = Distances(of: step, from: expected, layout)
            let rounding = try Distances(
                of: Self.step(reference, draw: draw, as: Double.self, roundsWeights: false), from: expected,
                layout)
            isClose = rounding.largest < 1e-4 && single.largest < max(1e-5, 5 * rounding.largest)
            reference.report([
                ("in float, images \(draw): logits", single.logits), ("loss", single.loss),
                ("median of gradients", single.gradients[single.gradients.count / 2].distance),
                ("largest of \(single.gradients.last?.name ?? "")", single.gradients.last?.distance ?? 0),
                ("of rounded weights", rounding.largest),
            ])
        }
        #expect(isClose)
    }

    /// Small maps have their samples innermost and go through a network by sixteens, large ones by one or two.
    @Test(
        "one step has the same bytes on 1 to 64 threads, whatever the maps' size and the shares of a layer",
        arguments: NetworkReference.all, [true, false])
    func threads(reference: NetworkReference, mapsAreLarge: Bool) throws {
        try compareThreads(
            [1, 2, 3, 5], reference, mapsAreLarge: mapsAreLarge, sampleCount: mapsAreLarge ? 11 : 41)
        guard mapsAreLarge else { return }
        // Fewer samples than threads: these share the layers.
        for sampleCount in 1...2 {
            try compareThreads(
                [1, 8, 32, 64], reference, mapsAreLarge: true, sampleCount: sampleCount)
        }
    }

    private func compareThreads(
        _ threadCounts: [Int], _ reference: NetworkReference, mapsAreLarge: Bool, sampleCount: Int
    ) throws {
        var network = try Network<Float>(reference.model())
        network.groupLimits = mapsAreLarge ? .largeMaps : GroupLimits(largestGroup: 16, evenLaneCount: 8)
        let parameters = try reference.parameters(of: network)
        let batch = try reference.batch(count: sampleCount)
        let steps = try threadCounts.map { threadCount in
            // So small maps are not worth sharing by themselves.
            network.groupLimits.fixedShareCount = threadCount > 5 ? threadCount / 2 : nil
            var gradient: [Float] = []
            let terms = try ExplanationLoss(
                network: network, lambda1: reference.lambda1, threadCount: threadCount
            ).compute(batch, at: parameters, dropout: DropoutKey(seed: 1, step: 2), gradient: &gradient)
            return (terms: terms, bits: gradient.map(\.bitPattern))
        }
        for step in steps.dropFirst() {
            #expect(step.terms == steps[0].terms)
            #expect(step.bits == steps[0].bits)
        }
        #expect(steps[0].terms.penalty != nil)
    }
}
