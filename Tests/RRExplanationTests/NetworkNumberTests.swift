import RRExplanation
import RRNetworks
import Testing

/// What the number type and the threads leave alike in torchvision's networks.
@Suite("torchvision's networks in float, and on threads")
struct NetworkNumberTests {
    /// A first step of training.
    private struct Step<Scalar: NetworkScalar> {
        let logits: [Scalar]
        let terms: LossTerms
        let gradient: [Scalar]

        init(_ reference: NetworkReference, roundsWeights: Bool = true) throws {
            let network = try Network<Scalar>(reference.model())
            let parameters = try reference.parameters(of: network, roundsToSingle: roundsWeights)
            let batch = try reference.batch()
            var gradient: [Scalar] = []
            terms = try ExplanationLoss(network: network, lambda1: reference.lambda1)
                .compute(batch, at: parameters, gradient: &gradient)
            logits = try InputGradients(network: network).compute(batch, at: parameters).logits
            self.gradient = gradient
        }
    }

    /// Both have the weights that float has: what is compared is the arithmetic.
    ///
    /// Nobody computes in float what its weights do not determine: with some of these weights (ResNet-34's, MobileNetV2's,
    /// ConvNeXt's) rounding them to float alone moves double's gradients by 1e-5, and PyTorch's float is as far from its
    /// double as ours (`networks.py --single`).
    @Test(
        "the first step in float is that in double to 1e-5 of each tensor's largest entry, or to what rounded weights leave",
        arguments: NetworkReference.all)
    func single(reference: NetworkReference) throws {
        let (expected, step) = (try Step<Double>(reference), try Step<Float>(reference))
        let unrounded = try Step<Double>(reference, roundsWeights: false)
        let logits = relativeDifference(step.logits, expected.logits)
        let loss = relativeDifference([step.terms.loss], [expected.terms.loss])
        #expect(logits < 1e-5)
        #expect(loss < 1e-5)
        var distances: [(name: String, distance: Double)] = []
        var rounding = 0.0
        for entry in try Network<Float>(reference.model()).parameterLayout.entries where entry.isTrained {
            let double = Array(expected.gradient[entry.range])
            distances.append((entry.name, relativeDifference(Array(step.gradient[entry.range]), double)))
            rounding = max(rounding, relativeDifference(Array(unrounded.gradient[entry.range]), double))
        }
        distances.sort { $0.distance < $1.distance }
        let largest = try #require(distances.last)
        #expect(largest.distance < max(1e-5, 5 * rounding), "\(largest), rounded weights: \(rounding)")
        #expect(rounding < 1e-4)
        reference.report([
            ("in float, logits", logits), ("loss", loss),
            ("median of gradients", distances[distances.count / 2].distance),
            ("largest of \(largest.name)", largest.distance), ("of rounded weights", rounding),
        ])
    }

    /// Small maps have their samples innermost and go through a network by sixteens, large ones by one or two.
    @Test(
        "one step has the same bytes on 1, 2, 3 and 5 threads, whatever the size of the maps",
        arguments: NetworkReference.all, [true, false])
    func threads(reference: NetworkReference, mapsAreLarge: Bool) throws {
        var network = try Network<Float>(reference.model())
        network.groupLimits = mapsAreLarge ? .largeMaps : GroupLimits(largestGroup: 16, evenLaneCount: 8)
        let parameters = try reference.parameters(of: network)
        let batch = try reference.batch(count: mapsAreLarge ? 11 : 41)
        let steps = try [1, 2, 3, 5].map { threadCount in
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
