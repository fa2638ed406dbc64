internal import RRTensor

/// The random numbers that change a sample: a pure function of the seed, the sample and the number of its copy.
///
/// With `mix` the output function of SplitMix64 and all sums modulo 2⁶⁴, the generator of a sample is SplitMix64 that
/// starts from mix(mix(seed) + index), and that of its copy j, from 1 on, from mix(mix(mix(seed) + index) + j). Its output
/// number d, from 0, is mix(start + (d + 1) · 0x9E3779B97F4A7C15); a number u_d in [0, 1) is the output's upper 53 bits
/// times 2⁻⁵³.
package enum SampleNoise {
    /// The state that the generator of a sample, or of one of its copies, starts from.
    package static func start(seed: UInt64, index: Int64, copy: Int? = nil) -> UInt64 {
        let sample = SplitMix64.mix(SplitMix64.mix(seed) &+ UInt64(bitPattern: index))
        return copy.map { SplitMix64.mix(sample &+ UInt64(bitPattern: Int64($0))) } ?? sample
    }

    /// u_d, without the outputs before it.
    static func unit(_ start: UInt64, at position: Int) -> Double {
        let state = start &+ UInt64(bitPattern: Int64(position + 1)) &* 0x9E37_79B9_7F4A_7C15
        return Double(SplitMix64.mix(state) >> 11) * 0x1p-53
    }
}
