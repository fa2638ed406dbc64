internal import RRTensor

/// What the random values of counterexamples follow from: the seed, the epoch and the sample, and nothing else.
///
/// With all arithmetic modulo 2⁶⁴, `mix` the finaliser of SplitMix64, `G` = `0x9E3779B97F4A7C15` and
/// fold(v, s) = mix((s ^ v) + G): `s = fold(sample, fold(epoch, mix(seed + G)))`, in which a sample is known by its row in
/// the dataset, or in the batch where it comes from none. Then `t = fold(l, s)`, where l is 0 with the bytes of
/// "counterexample" folded in, one after the other. The value of element e of the image (C, H, W) is
/// u = (`mix(t + (e + 1) · G)` >> 40) / 2²⁴: uniform in [0, 1), and exact in single precision.
struct CounterexampleKey: Hashable, Sendable {
    let seed: UInt64
    /// From 0.
    let epoch: Int

    private static let purpose: UInt64 = "counterexample".utf8.reduce(0) { fold(UInt64($1), into: $0) }

    /// The state t of a sample.
    func state(sample: Int64) -> UInt64 {
        let seeded = SplitMix64.mix(seed &+ Self.golden)
        let dated = Self.fold(UInt64(bitPattern: Int64(epoch)), into: seeded)
        return Self.fold(Self.purpose, into: Self.fold(UInt64(bitPattern: sample), into: dated))
    }

    /// The value u of an element.
    @inline(__always)
    static func unit(state: UInt64, element: Int) -> Float {
        Float(SplitMix64.mix(state &+ (UInt64(element) &+ 1) &* golden) >> 40) * 0x1p-24
    }

    private static func fold(_ value: UInt64, into state: UInt64) -> UInt64 {
        SplitMix64.mix((state ^ value) &+ golden)
    }

    @inline(__always)
    private static var golden: UInt64 { 0x9E37_79B9_7F4A_7C15 }
}
