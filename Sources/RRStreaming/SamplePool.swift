internal import RRTensor

/// Samples that are drawn one after another over all epochs: each once before any a second time.
///
/// Draw t takes position t mod n of the keyed permutation of the n samples whose epoch is t div n.
struct SamplePool: Sendable {
    let rows: [Int]
    /// The number of draws in each epoch.
    let drawsPerEpoch: Int
    private let seed: UInt64

    /// - Parameter number: tells pools of one stream apart, from 0.
    init(rows: [Int], drawsPerEpoch: Int, seed: UInt64, number: Int) {
        self.rows = rows
        self.drawsPerEpoch = drawsPerEpoch
        self.seed = SplitMix64.mix(seed &+ UInt64(number + 1) &* 0x9E37_79B9_7F4A_7C15)
    }

    /// The row of an epoch's draw, counted from 0; the pool is not empty.
    func row(ofDraw draw: Int, epoch: Int) -> Int {
        let number = UInt64(epoch) &* UInt64(drawsPerEpoch) &+ UInt64(draw)
        let (cycle, position) = number.quotientAndRemainder(dividingBy: UInt64(rows.count))
        let order = KeyedPermutation(count: rows.count, seed: seed, epoch: Int(truncatingIfNeeded: cycle))
        return rows[order(Int(position))]
    }
}
