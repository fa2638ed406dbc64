internal import Glibc
internal import RRTensor

/// What the random values of a sample follow from: the seed, a time, the sample and what they are for, and nothing else.
///
/// With all arithmetic modulo 2⁶⁴, `mix` the finaliser of SplitMix64, `G` = `0x9E3779B97F4A7C15` and
/// fold(v, s) = mix((s ^ v) + G): `s = fold(sample, fold(time, mix(seed + G)))`, in which a sample is known by its row in
/// the dataset, or in the batch where it comes from none. Then `t = fold(l, s)`, where l is 0 with the bytes of the
/// purpose's name folded in, one after the other. The number at position e is the upper bits of `mix(t + (e + 1) · G)`.
struct SampleDraws: Hashable, Sendable {
    /// What is drawn, by the name that is folded in.
    enum Purpose: String, Sendable {
        /// The values of x̃ inside A; the time is the epoch.
        case counterexample
        /// Whether a sample has an x̃; the time is the epoch.
        case share
        /// The direction in which the logits' Jacobian is taken; the time is the step, or the epoch where there is none.
        case projection
    }

    private let dated: UInt64
    private let purpose: UInt64

    /// - Parameters:
    ///   - time: counts from 0.
    init(_ purpose: Purpose, seed: UInt64, time: Int) {
        dated = Self.fold(UInt64(bitPattern: Int64(time)), into: SplitMix64.mix(seed &+ Self.golden))
        self.purpose = purpose.rawValue.utf8.reduce(0) { Self.fold(UInt64($1), into: $0) }
    }

    /// The state t of a sample.
    func state(sample: Int64) -> UInt64 {
        Self.fold(purpose, into: Self.fold(UInt64(bitPattern: sample), into: dated))
    }

    /// A number of a sample, uniform in [0, 1) and exact in single precision: 24 bits over 2²⁴.
    @inline(__always)
    static func unit(state: UInt64, element: Int) -> Float {
        Float(bits(state: state, element: element) >> 40) * 0x1p-24
    }

    /// A direction of a sample among those whose entries add up to 0, uniform on the sphere of the squared radius K − 1.
    ///
    /// Its entries are normal numbers less their mean, brought to that length. The normal numbers 2i and 2i + 1 are, by Box
    /// and Muller (1958), √(−2 ln(1 − u)) · cos 2πv and √(−2 ln(1 − u)) · sin 2πv, with u and v of the positions 2i and
    /// 2i + 1: 53 bits over 2⁵³.
    ///
    /// - Parameter direction: takes the K entries; all zero where K is 1.
    static func writeDirection(state: UInt64, to direction: inout [Double]) {
        for index in stride(from: 0, to: direction.count, by: 2) {
            let (radius, angle) = polarNormal(state: state, element: index)
            direction[index] = radius * cos(angle)
            if index + 1 < direction.count { direction[index + 1] = radius * sin(angle) }
        }
        let mean = direction.reduce(0, +) / Double(direction.count)
        var square = 0.0
        for index in direction.indices {
            direction[index] -= mean
            square += direction[index] * direction[index]
        }
        let scale = square > 0 ? (Double(direction.count - 1) / square).squareRoot() : 0
        for index in direction.indices { direction[index] *= scale }
    }

    /// A normal number of a sample: with u and v of 53 bits at the positions 2e and 2e + 1, √(−2 ln(1 − u)) · cos 2πv.
    static func normal(state: UInt64, element: Int) -> Double {
        let (radius, angle) = polarNormal(state: state, element: 2 * element)
        return radius * cos(angle)
    }

    private static func polarNormal(state: UInt64, element: Int) -> (radius: Double, angle: Double) {
        let (u, v) = (wideUnit(state: state, element: element), wideUnit(state: state, element: element + 1))
        return ((-2 * log(1 - u)).squareRoot(), 2 * Double.pi * v)
    }

    private static func wideUnit(state: UInt64, element: Int) -> Double {
        Double(bits(state: state, element: element) >> 11) * 0x1p-53
    }

    @inline(__always)
    private static func bits(state: UInt64, element: Int) -> UInt64 {
        SplitMix64.mix(state &+ (UInt64(element) &+ 1) &* golden)
    }

    private static func fold(_ value: UInt64, into state: UInt64) -> UInt64 {
        SplitMix64.mix((state ^ value) &+ golden)
    }

    @inline(__always)
    private static var golden: UInt64 { 0x9E37_79B9_7F4A_7C15 }
}
