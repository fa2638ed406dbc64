import Foundation
import RRExplanation
import RRNetworks
import TestSupport
import Testing

/// Random gradients and masks with the figures that NumPy finds for them.
struct MetricReference: Decodable {
    struct Figures: Decodable {
        let inside: Double
        let area: Double
        let relative: Double
        let rankAccuracy: Double
        let topIntersection: Double
        let pointing: Double
        let wrongReason: Double
        let penalty: Double
    }

    struct Noise: Decodable {
        let seed: String
        let index: Int64
        let copy: Int
        let deviation: Double
        let uniform: [Double]
        let normal: [Double]
    }

    let elementCount: Int
    let k: Int
    let gradients: [Double]
    let masks: [UInt8]
    let ones: [Figures?]
    let fixed: [Figures?]
    let noise: [Noise]

    static let shared = Result {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(
            MetricReference.self,
            from: Data(contentsOf: URL(filePath: Fixtures.path("reference/explanations.json"))))
    }

    /// Measures every sample.
    func outcomes<Scalar: NetworkScalar>(_: Scalar.Type, topCount: Int?) -> [ExplanationOutcome] {
        var meter = ExplanationMeter<Scalar>(elementCount: elementCount, topCount: topCount)
        return (0..<ones.count).map { sample in
            let elements = sample * elementCount..<(sample + 1) * elementCount
            let gradient = gradients[elements].map { Scalar($0) }
            return gradient.withUnsafeBufferPointer { gradient in
                Array(masks[elements]).withUnsafeBufferPointer {
                    meter.measure(gradient: gradient, mask: $0)
                }
            }
        }
    }
}

@Suite("Figures of explanations, against NumPy")
struct ExplanationMetricsTests {
    let reference: MetricReference

    init() throws { reference = try MetricReference.shared.get() }

    @Test("every sample's figures are NumPy's, ties and empty ones among them", arguments: [true, false])
    func samples(isFixed: Bool) throws {
        try compare(Double.self, isFixed: isFixed)
        try compare(Float.self, isFixed: isFixed)
        #expect(reference.ones.count { $0 == nil } >= 2)
    }

    private func compare<Scalar: NetworkScalar>(_: Scalar.Type, isFixed: Bool) throws {
        let outcomes = reference.outcomes(Scalar.self, topCount: isFixed ? reference.k : nil)
        for (sample, expected) in (isFixed ? reference.fixed : reference.ones).enumerated() {
            guard case .measured(let found) = outcomes[sample] else {
                #expect(expected == nil, "sample \(sample)")
                continue
            }
            let expected = try #require(expected)
            for (value, other) in [
                (found.gradientInside, expected.inside), (found.area, expected.area),
                (found.rankAccuracy, expected.rankAccuracy),
                (found.topIntersection, expected.topIntersection),
                (found.isLargestInside ? 1 : 0, expected.pointing),
                (found.wrongReason, expected.wrongReason), (found.penalty, expected.penalty),
            ] {
                #expect((value - other).magnitude <= 1e-13 * max(1, other), "sample \(sample)")
            }
        }
    }

    @Test("means are over the measured samples, and all others are counted")
    func means() throws {
        var metrics = ExplanationMetrics()
        #expect(metrics.gradientShare.insideMask == nil && metrics.ranks.pointingGame == nil)
        #expect(metrics.wrongReason.mean == nil && metrics.flips.share == nil)
        for (sample, outcome) in reference.outcomes(Double.self, topCount: reference.k).enumerated() {
            let isAnnotated = outcome != .unannotated
            metrics.add(
                outcome, hasEmptyMask: !isAnnotated && sample > 0, crossEntropy: 2,
                isFlipped: isAnnotated ? sample % 4 == 0 : nil)
        }
        let figures = reference.fixed.compactMap { $0 }
        func mean(_ value: (MetricReference.Figures) -> Double) -> Double {
            figures.map(value).reduce(0, +) / Double(figures.count)
        }
        for (found, expected) in [
            (metrics.gradientShare.insideMask, mean(\.inside)),
            (metrics.gradientShare.maskedArea, mean(\.area)),
            (metrics.gradientShare.relativeToArea, mean(\.relative)),
            (metrics.ranks.rankAccuracy, mean(\.rankAccuracy)),
            (metrics.ranks.topIntersection, mean(\.topIntersection)),
            (metrics.ranks.pointingGame, mean(\.pointing)), (metrics.wrongReason.mean, mean(\.wrongReason)),
        ] {
            let found = try #require(found)
            #expect((found - expected).magnitude < 1e-13 * max(1, expected))
        }
        #expect(metrics.measuredCount == figures.count && metrics.zeroGradientCount == 1)
        #expect(metrics.annotatedCount + metrics.unannotatedCount == reference.ones.count)
        #expect(metrics.emptyMaskCount == metrics.unannotatedCount)
        #expect(metrics.flips.sampleCount == metrics.annotatedCount)
    }

    @Test("the ratio of penalty and cross-entropy follows the reduction")
    func ratio() throws {
        var metrics = ExplanationMetrics()
        #expect(metrics.penalty.ratio(lambda1: 1, reduction: .mean, batchSize: 1) == nil)
        var meter = ExplanationMeter<Double>(elementCount: 3)
        let measured = [1, -1, 2].withUnsafeBufferPointer { gradient in
            ([1, 1, 1] as [UInt8]).withUnsafeBufferPointer { meter.measure(gradient: gradient, mask: $0) }
        }
        metrics.add(measured, crossEntropy: 3)
        metrics.add(.zeroGradient, crossEntropy: 1)
        metrics.add(.unannotated, crossEntropy: 2)
        metrics.add(.unannotated, crossEntropy: 2)
        #expect(metrics.penalty.penalty == 1.5)
        #expect(metrics.penalty.ratio(lambda1: 4, reduction: .mean, batchSize: 16) == 4 * 1.5 / 2)
        #expect(metrics.penalty.ratio(lambda1: 4, reduction: .annotated, batchSize: 16) == 4 * 3.0 / 2)
        #expect(metrics.penalty.ratio(lambda1: 4, reduction: .sum, batchSize: 16) == 4 * 16 * 1.5 / 2)
    }

    @Test("a gradient that is not finite is counted, and no mean takes it")
    func notFinite() {
        var metrics = ExplanationMetrics()
        for value in [Double.nan, .infinity] {
            var meter = ExplanationMeter<Double>(elementCount: 2)
            let outcome = [1, value].withUnsafeBufferPointer { gradient in
                ([1, 0] as [UInt8]).withUnsafeBufferPointer { meter.measure(gradient: gradient, mask: $0) }
            }
            #expect(outcome == .notFinite)
            metrics.add(outcome, crossEntropy: 1)
        }
        #expect(metrics.notFiniteCount == 2 && metrics.annotatedCount == 2)
        #expect(metrics.gradientShare.insideMask == nil)
    }
}

@Suite("Changes of images, against NumPy")
struct PerturbationTests {
    @Test("masked elements become the uniform numbers of seed and index, in the range of the values")
    func randomization() throws {
        for noise in try MetricReference.shared.get().noise {
            let seed = try #require(UInt64(noise.seed))
            var image: [Float] = [0.5, -2, 0.25, 6, 1]
            let mask: [UInt8] = [1, 0, 1, 1, 0]
            for (range, low, high) in [(ImageValueRange.unit, 0.0, 1.0), (.ofImage, -2.0, 6.0)] {
                image = [0.5, -2, 0.25, 6, 1]
                image.withUnsafeMutableBufferPointer { image in
                    mask.withUnsafeBufferPointer {
                        MaskRandomization(seed: seed, range: range)
                            .apply(to: image, mask: $0, index: noise.index)
                    }
                }
                #expect(image[1] == -2 && image[4] == 1)
                for position in [0, 2, 3] {
                    #expect(image[position] == Float(low + (high - low) * noise.uniform[position]))
                }
            }
        }
    }

    @Test("noisy copies are the image and normal numbers of seed, index and copy")
    func gaussian() throws {
        for noise in try MetricReference.shared.get().noise {
            let seed = try #require(UInt64(noise.seed))
            var image: [Float] = [0, 4, 1, 2, 3]
            image.withUnsafeMutableBufferPointer {
                GaussianNoise(seed: seed, deviation: noise.deviation, range: .ofImage)
                    .apply(to: $0, index: noise.index, copy: noise.copy)
            }
            for (position, original) in [0.0, 4, 1, 2, 3].enumerated() {
                let expected = original + noise.deviation * 4 * noise.normal[position]
                #expect((Double(image[position]) - expected).magnitude < 1e-6)
            }
        }
    }
}
