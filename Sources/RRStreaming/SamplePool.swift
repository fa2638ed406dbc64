internal import RRDatasets
internal import RRFormats
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

/// The pools of balanced classes, or of balanced groups.
enum ClassPools {
    /// Shares the positions of an epoch, as many as there are samples, out to the classes or groups.
    ///
    /// A class gets the whole part of its share; the positions that are left go to the largest remainders, and of
    /// equal ones to the lower label first. A class that gets none has no pool.
    ///
    /// - Throws: `DatasetError` with the code `missingLabels`; `invalidOption` where there is not a weight for each
    ///   class, or there are no groups; `empty` where a class with a weight has no sample.
    static func make(
        _ balance: ClassBalance, of dataset: Dataset, rows: [Int], seed: UInt64
    ) throws(DatasetError) -> [SamplePool] {
        let numbers: [Int]
        var groups: [[Int]]
        if balance == .groups {
            guard let known = dataset.groups else {
                throw DatasetError(
                    .invalidOption, path: dataset.path,
                    "balanced groups need groups, and the dataset has none: a column “group” of its list of images is "
                        + "where an import takes them from")
            }
            numbers = known.numbers
            groups = Array(repeating: [], count: known.count)
        } else {
            guard let labels = dataset.labels else {
                throw DatasetError(
                    .missingLabels, path: dataset.path,
                    "balanced classes need labels, and the dataset has none")
            }
            numbers = labels
            groups = Array(repeating: [], count: dataset.classCount)
        }
        for row in rows { groups[numbers[row]].append(row) }
        let weights: [Double]
        switch balance {
        case .equal, .groups:
            weights = groups.map { $0.isEmpty ? 0 : 1 }
        case .weights(let given):
            guard given.count == dataset.classCount else {
                throw DatasetError(
                    .invalidOption, path: dataset.path,
                    "there are \(given.count) weights for \(dataset.classCount) classes")
            }
            weights = given
            for (label, weight) in given.enumerated() where weight > 0 && groups[label].isEmpty {
                throw DatasetError(
                    .empty, path: dataset.path,
                    "class \(label) has the weight \(weight), but no sample is chosen of it: give it the weight 0"
                )
            }
        }
        let draws = shares(of: rows.count, weights: weights)
        return groups.indices.filter { draws[$0] > 0 }.map {
            SamplePool(rows: groups[$0], drawsPerEpoch: draws[$0], seed: seed, number: $0)
        }
    }

    static func shares(of count: Int, weights: [Double]) -> [Int] {
        let sum = weights.reduce(0, +)
        guard sum > 0 else { return weights.map { _ in 0 } }
        let exact = weights.map { Double(count) * $0 / sum }
        var shares = exact.map { Int($0.rounded(.down)) }
        let left = max(0, count - shares.reduce(0, +))
        let byRemainder = weights.indices.filter { weights[$0] > 0 }
            .sorted {
                (exact[$1] - exact[$1].rounded(.down), $0) < (exact[$0] - exact[$0].rounded(.down), $1)
            }
        for label in byRemainder.prefix(left) { shares[label] += 1 }
        return shares
    }
}
