internal import RRDatasets
internal import RRTensor

/// Which annotated sample gives another what it shows inside its mask: a pure function of the seed, the epoch and the sample.
///
/// Every other annotated sample is as likely, whatever its class: were donors chosen by class, what their masks mark would
/// tell the class again, the other way round. The draws come from SplitMix64 with the seed of `Augmentation` and the number
/// 2³², which is no change's.
struct RegionDonors: Sendable {
    /// The annotated samples that are streamed, ascending.
    private let rows: [Int]
    private let seed: UInt64

    /// The donors that are tried where crops or cutouts have left nothing of their masks.
    static let tries = 16

    /// - Throws: `DatasetError` with the code `empty` where fewer than two samples are annotated.
    init(_ rows: [Int], masks: MaskSet, seed: UInt64, path: String) throws(DatasetError) {
        self.rows = rows.filter(masks.isAnnotated)
        self.seed = seed
        guard self.rows.count > 1 else {
            throw DatasetError(
                .empty, path: path,
                "what lies inside a mask is taken from another annotated sample, but of the \(rows.count) chosen "
                    + "\(self.rows.count) are annotated: give masks of two at least")
        }
    }

    /// The donors of a sample in an epoch, in the order in which they are tried.
    ///
    /// - Parameter index: an annotated sample that is streamed.
    func donors(for index: Int, epoch: Int) -> Donors {
        var low = 0
        var high = rows.count
        while low < high {
            let middle = (low + high) / 2
            if rows[middle] < index { low = middle + 1 } else { high = middle }
        }
        return Donors(
            rows: rows, own: low,
            generator: Augmentation.generator(seed: seed, epoch: epoch, index: index, stream: 1 << 32))
    }

    struct Donors: Sequence, IteratorProtocol {
        fileprivate let rows: [Int]
        /// The place of the sample itself.
        fileprivate let own: Int
        fileprivate var generator: SplitMix64
        private var left = RegionDonors.tries

        fileprivate init(rows: [Int], own: Int, generator: SplitMix64) {
            self.rows = rows
            self.own = own
            self.generator = generator
        }

        mutating func next() -> Int? {
            guard left > 0 else { return nil }
            left -= 1
            let place = generator.next(below: rows.count - 1)
            return rows[place < own ? place : place + 1]
        }
    }
}
