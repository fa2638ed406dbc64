internal import RRDatasets
internal import RRExplanation

/// What a swap test takes for the place that an image shows inside A.
public enum SwapPlace: String, CaseIterable, Sendable {
    /// The group of the sample: donors of another place are of another group and of the same class, where there are any,
    /// else of another group; donors of the same place are of the same group, and likewise of the same class.
    case group
    /// The class of the sample, where nothing is known of places: as good as class and place go together.
    case `class`
}

/// Which samples give their regions to which, in a swap test: a pure function of the seed and the samples.
///
/// The donors that a sample may have are those of its kind that are annotated, in the split that is measured, and not the
/// sample itself, in ascending order of place, class or group, and within it of rows. Of n it is the one at ⌊u · n⌋, with u the
/// first number of the sample's copy k of `SampleNoise`: k is 1 for another place, 2 for the same, 3 for another class and 4
/// for the same.
struct SwapDonors {
    /// Row in the dataset; −1 where there is no such donor.
    struct Rows: Equatable {
        var insideOther = -1
        var insideSame = -1
        var outsideOther = -1
        var outsideSame = -1

        /// How many there are for a sample.
        static let count = 4
    }

    private let seed: UInt64
    private let labels: [Int]
    /// The number of each sample's group; nil where classes stand for places.
    private let groups: [Int]?
    /// By group, of all classes and of each.
    private let byGroup: DonorPool
    private let byGroupOfClass: [Int: DonorPool]
    private let byClass: DonorPool
    /// By class, of those that have something outside A.
    private let objectsByClass: DonorPool

    /// - Parameters:
    ///   - rows: the samples that are measured, ascending.
    ///   - labels: of all samples of the dataset.
    ///   - groups: of all samples; nil where classes stand for places.
    init(rows: [Int], labels: [Int], groups: [Int]?, masks: MaskSet, seed: UInt64) {
        self.seed = seed
        self.labels = labels
        self.groups = groups
        let donors = rows.filter(masks.isAnnotated)
        byClass = DonorPool(donors, by: labels)
        objectsByClass = DonorPool(donors.filter { masks.coverage(ofSample: $0) < 1 }, by: labels)
        byGroup = DonorPool(groups == nil ? [] : donors, by: groups ?? labels)
        byGroupOfClass =
            groups.map { groups in
                Dictionary(grouping: donors) { labels[$0] }.mapValues { DonorPool($0, by: groups) }
            } ?? [:]
    }

    /// The donors of a sample.
    func rows(for sample: Int) -> Rows {
        let draw = { (copy: Int, count: Int) in
            let start = SampleNoise.start(seed: seed, index: Int64(sample), copy: copy)
            return Int(SampleNoise.unit(start, at: 0) * Double(count))
        }
        let label = labels[sample]
        var rows = Rows()
        if let groups {
            let (group, alike) = (groups[sample], byGroupOfClass[label])
            rows.insideOther =
                alike?.other(than: group) { draw(1, $0) } ?? byGroup.other(than: group) { draw(1, $0) } ?? -1
            rows.insideSame =
                alike?.same(as: group, but: sample) { draw(2, $0) }
                ?? byGroup.same(as: group, but: sample) { draw(2, $0) } ?? -1
        } else {
            rows.insideOther = byClass.other(than: label) { draw(1, $0) } ?? -1
            rows.insideSame = byClass.same(as: label, but: sample) { draw(2, $0) } ?? -1
        }
        rows.outsideOther = objectsByClass.other(than: label) { draw(3, $0) } ?? -1
        rows.outsideSame = objectsByClass.same(as: label, but: sample) { draw(4, $0) } ?? -1
        return rows
    }
}

/// Samples in the order of a key, so that those of one key lie together.
private struct DonorPool {
    private let rows: [Int]
    private let ranges: [Int: Range<Int>]

    /// - Parameter keys: of all samples of the dataset.
    init(_ rows: [Int], by keys: [Int]) {
        self.rows = rows.sorted { (keys[$0], $0) < (keys[$1], $1) }
        var ranges: [Int: Range<Int>] = [:]
        for (place, row) in self.rows.enumerated() {
            let start = ranges[keys[row]]?.lowerBound ?? place
            ranges[keys[row]] = start..<place + 1
        }
        self.ranges = ranges
    }

    /// Draws one of another key; nil where there is none.
    func other(than key: Int, _ draw: (_ count: Int) -> Int) -> Int? {
        let range = ranges[key] ?? 0..<0
        let count = rows.count - range.count
        guard count > 0 else { return nil }
        let place = draw(count)
        return rows[place < range.lowerBound ? place : place + range.count]
    }

    /// Draws one of the same key but a sample itself; nil where there is none.
    func same(as key: Int, but sample: Int, _ draw: (_ count: Int) -> Int) -> Int? {
        guard let range = ranges[key] else { return nil }
        // Within a key the rows ascend.
        let own = rows[range].firstIndex(of: sample)
        let count = range.count - (own == nil ? 0 : 1)
        guard count > 0 else { return nil }
        let place = range.lowerBound + draw(count)
        return rows[own.map { place >= $0 ? place + 1 : place } ?? place]
    }
}
