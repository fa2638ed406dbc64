import RRExplanation
import RRNetworks
import RRTensor
import Testing

@Suite("Masks from input gradients")
struct MaskSelectorTests {
    @Test(
        "the K largest magnitudes are selected, as a full sort selects them",
        arguments: [1, 2, 64, 100, 199, 200])
    func topCount(kept: Int) {
        var generator = SplitMix64(seed: UInt64(kept))
        for round in 0..<20 {
            // Few distinct values in odd rounds, so that ties abound.
            let gradient = (0..<200).map { _ in
                round % 2 == 0 ? Float(generator.nextUnit() - 0.5) : Float(generator.next() % 5) - 2
            }
            let expected = gradient.indices.sorted {
                (-gradient[$0].magnitude, $0) < (-gradient[$1].magnitude, $1)
            }.prefix(kept).sorted()
            let (mask, outcome) = select(.top(count: kept), gradient)
            #expect(outcome == .mask)
            #expect(mask.indices.filter { mask[$0] == 1 } == expected)
        }
    }

    @Test("of equal magnitudes those at lower positions are taken")
    func ties() {
        #expect(select(.top(count: 2), [1, -1, 1, 2] as [Float]).0 == [1, 0, 0, 1])
        #expect(select(.top(count: 3), [0, 0, 5, 0] as [Double]).0 == [1, 1, 1, 0])
    }

    @Test("a fraction is rounded to the nearest number of elements, and takes one at least")
    func fraction() {
        let gradient: [Float] = [4, 3, 2, 1]
        #expect(select(.topFraction(0.5), gradient).0 == [1, 1, 0, 0])
        #expect(select(.topFraction(0.6), gradient).0 == [1, 1, 0, 0])
        #expect(select(.topFraction(0.01), gradient).0 == [1, 0, 0, 0])
        #expect(select(.topFraction(1), gradient).0 == [1, 1, 1, 1])
    }

    @Test("a threshold takes all that is above its share of the largest magnitude")
    func threshold() {
        let gradient: [Double] = [-4, 2, 2.001, 0]
        #expect(select(.threshold(0.5), gradient).0 == [1, 0, 1, 0])
        #expect(select(.threshold(0), gradient).0 == [1, 1, 1, 0])
    }

    @Test("channels are summed where the mask has fewer elements than the gradient")
    func channels() {
        #expect(select(.top(count: 1), [1, 0, 0, -1, 1.5, 0] as [Float], maskCount: 2).0 == [1, 0])
    }

    @Test("a gradient of zeros and one that is not finite give no mask")
    func noMask() {
        #expect(select(.top(count: 1), [0, -0.0, 0] as [Float]) == ([0, 0, 0], .zeroGradient))
        #expect(select(.top(count: 1), [1, .nan, 0] as [Float]).1 == .notFinite)
        #expect(select(.threshold(0.5), [1, .infinity, 0] as [Double]).1 == .notFinite)
    }

    @Test(
        "an impossible selection is refused",
        arguments: [
            MaskSelection.top(count: 0), .top(count: 5), .topFraction(0), .topFraction(1.1),
            .topFraction(.nan),
            .threshold(1), .threshold(-0.1),
        ])
    func impossible(selection: MaskSelection) {
        let error = #expect(throws: ExplanationError.self) { try selection.check(elementCount: 4) }
        #expect(error?.code == .impossibleSelection)
    }

    private func select<Scalar: NetworkScalar>(
        _ selection: MaskSelection, _ gradient: [Scalar], maskCount: Int? = nil
    ) -> ([UInt8], MaskOutcome) {
        var mask = Array(repeating: UInt8(7), count: maskCount ?? gradient.count)
        var selector = MaskSelector<Scalar>(selection)
        let outcome = gradient.withUnsafeBufferPointer { gradient in
            mask.withUnsafeMutableBufferPointer { selector.select(gradient, into: $0) }
        }
        return (mask, outcome)
    }
}
