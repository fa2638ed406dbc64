public import RRTensor

/// An order of N positions that is computed, not stored: position → index for (seed, epoch, N).
///
/// It costs O(1) memory and, on average, less than four rounds of the network for a position of a large N.
/// The order is part of the format: it is the same in every release, so cursors stay valid. Another order would
/// get another `version`. `RRStreaming.docc/stream-order.md` has test vectors.
///
/// Version 1, with all arithmetic modulo 2⁶⁴:
/// - `mix(z)` is the finaliser of SplitMix64 (Steele, Lea and Flood 2014): `z ^= z >> 30`,
///   `z *= 0xBF58476D1CE4E5B9`, `z ^= z >> 27`, `z *= 0x94D049BB133111EB`, `z ^= z >> 31`;
///   `G` is `0x9E3779B97F4A7C15`.
/// - The state is `s = mix(seed + G)`, then `s = mix((s ^ epoch) + G)`, then `s = mix((s ^ N) + G)`. The key of
///   round r = 0…7 is `mix(s + (r + 1) · G)`.
/// - Where 2ᵇ is the smallest power of two that is not below N, a half has `h = max(5, ⌈b / 2⌉)` bits. The lower
///   bound keeps the orders of a few positions fair.
/// - To encrypt x below 2²ʰ: split it into `L = x >> h` and `R = x mod 2ʰ`; for each round
///   `(L, R) = (R, L ^ (mix(R + key) >> (64 − h)))`; join `L << h | R`.
/// - The index at a position is the position encrypted, and encrypted again until it is below N (cycle walking).
/// - For N of 0 and 1 the order is the identity.
public struct KeyedPermutation: Sendable {
    /// The number of the algorithm.
    public static let version = 1

    /// The number of positions, N.
    public let count: Int

    @usableFromInline let halfWidth: UInt64
    @usableFromInline
    let keys: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)

    /// Creates the order of `count` positions in an epoch, counted from 0; a negative count is taken as 0.
    public init(count: Int, seed: UInt64, epoch: Int) {
        self.count = max(count, 0)
        var bits = 0
        while bits < 63, 1 << UInt64(bits) < UInt64(self.count) { bits += 1 }
        halfWidth = UInt64(max(5, (bits + 1) / 2))

        let golden: UInt64 = 0x9E37_79B9_7F4A_7C15
        var state = SplitMix64.mix(seed &+ golden)
        state = SplitMix64.mix((state ^ UInt64(bitPattern: Int64(epoch))) &+ golden)
        state = SplitMix64.mix((state ^ UInt64(self.count)) &+ golden)
        func key(_ round: UInt64) -> UInt64 { SplitMix64.mix(state &+ (round + 1) &* golden) }
        keys = (key(0), key(1), key(2), key(3), key(4), key(5), key(6), key(7))
    }

    /// The index at a position, both in `0..<count`.
    @inlinable
    public func callAsFunction(_ position: Int) -> Int {
        precondition(position >= 0 && position < count, "the position \(position) is not in 0..<\(count)")
        if count == 1 { return 0 }
        var index = UInt64(position)
        repeat {
            var left = index >> halfWidth
            var right = index & (1 << halfWidth - 1)
            @inline(__always)
            func round(_ key: UInt64) {
                let mixed = left ^ SplitMix64.mix(right &+ key) >> (64 &- halfWidth)
                left = right
                right = mixed
            }
            round(keys.0)
            round(keys.1)
            round(keys.2)
            round(keys.3)
            round(keys.4)
            round(keys.5)
            round(keys.6)
            round(keys.7)
            index = left << halfWidth | right
        } while index >= UInt64(count)
        return Int(index)
    }
}
