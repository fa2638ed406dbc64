internal import RRTensor

/// The training step that dropout draws its masks for; without one, dropout is the identity.
///
/// Which elements are left out is a function of the seed, the step, the sample, the layer and the element, and of
/// nothing else: all passes of a step meet the same masks, whatever the threads, the groups and the order in
/// which samples go through the network. With all arithmetic modulo 2⁶⁴, `mix` the finaliser of SplitMix64 and
/// `G` = `0x9E3779B97F4A7C15`:
/// - The state is `s = mix(seed + G)`, then `s = mix((s ^ step) + G)`, then `s = mix((s ^ sample) + G)`. A sample is
///   known by its row in the dataset, or in the batch where it comes from none.
/// - The layer is known by its place in the model, `layers[3]`, `layers[3].body[0]` or
///   `layers[3].projection`: with l = 0, for each byte of that text, `l = mix((l ^ byte) + G)`.
/// - With `t = mix((s ^ l) + G)`, element e of the layer's output (C, H, W) is left out where
///   `mix(t + (e + 1) · G) >> 11`, over 2⁵³, is below p; what is kept is multiplied by
///   1 / (1 − p).
public struct DropoutKey: Hashable, Sendable {
    public let seed: UInt64
    /// The number of steps taken before.
    public let step: Int

    public init(seed: UInt64, step: Int) {
        self.seed = seed
        self.step = step
    }

    /// The state for a sample.
    func state(sample: Int64) -> UInt64 {
        let seeded = Self.fold(UInt64(bitPattern: Int64(step)), into: SplitMix64.mix(seed &+ Self.golden))
        return Self.fold(UInt64(bitPattern: sample), into: seeded)
    }

    /// What a layer is known by.
    static func identity(ofLayerAt location: String) -> UInt64 {
        location.utf8.reduce(0) { Self.fold(UInt64($1), into: $0) }
    }

    @inline(__always)
    static func fold(_ value: UInt64, into state: UInt64) -> UInt64 {
        SplitMix64.mix((state ^ value) &+ golden)
    }

    @inline(__always)
    static var golden: UInt64 { 0x9E37_79B9_7F4A_7C15 }
}
