internal import RRExplanation
internal import RRTensor
internal import Synchronization

/// Draws samples with replacement, and tells between which bounds figures of the draws lie.
///
/// The number j of draw r, from 0, is the sample ⌊u_j · N⌋, with u_j of the `SampleNoise` of a sample r. Draws for which a
/// figure is undefined, such as those without a sample of a class, are left out of its bounds.
struct Bootstrap {
    let sampleCount: Int
    let drawCount: Int
    let seed: UInt64

    /// The bounds of figures, in their order; nil for one without a value in any draw.
    ///
    /// - Parameter figures: computes them from how often each sample was drawn; called from several threads.
    func intervals(
        figureCount: Int, workers: Workers, _ figures: @Sendable ([Int32]) -> [Double?]
    ) -> [ConfidenceInterval?] {
        guard sampleCount > 0, drawCount > 0 else { return Array(repeating: nil, count: figureCount) }
        let (sampleCount, seed) = (sampleCount, seed)
        let draws = Mutex<[[Double?]]>(Array(repeating: [], count: drawCount))
        workers.run(parts: drawCount) { _, draw in
            var weights = Array(repeating: Int32(0), count: sampleCount)
            var generator = SplitMix64(seed: SampleNoise.start(seed: seed, index: Int64(draw)))
            for _ in 0..<sampleCount { weights[Int(generator.nextUnit() * Double(sampleCount))] += 1 }
            let values = figures(weights)
            draws.withLock { $0[draw] = values }
        }
        let all = draws.withLock { $0 }
        return (0..<figureCount).map { figure in
            let values = all.compactMap { $0[figure] }.sorted()
            guard !values.isEmpty else { return nil }
            return ConfidenceInterval(
                lower: Self.quantile(0.025, of: values), upper: Self.quantile(0.975, of: values))
        }
    }

    /// The value below which a share of ascending values lies, between two of them in proportion.
    static func quantile(_ share: Double, of values: [Double]) -> Double {
        let place = share * Double(values.count - 1)
        let below = Int(place)
        guard below + 1 < values.count else { return values[values.count - 1] }
        return values[below] + (place - Double(below)) * (values[below + 1] - values[below])
    }
}
