package import RRDatasets
internal import RRFormats
internal import RRTensor

/// Which row of the dataset stands at each position of each epoch: a function of the options, not a state.
///
/// Memory is O(1) for all samples and for rows that lie together, 8 bytes a chosen sample otherwise.
/// `RRStreaming.docc/stream-order.md` defines it for other implementations.
struct SampleOrder: Sendable {
    /// The number of positions in an epoch.
    let count: Int
    private let selection: SampleSelection
    private let options: StreamOptions
    private let draws: Draws

    private enum Draws: Sendable {
        /// Every sample once.
        case every
        /// A pool a class; the slots of class c begin at `starts[c]`.
        case byClass(pools: [SamplePool], starts: [Int])
        /// Annotated and unannotated samples.
        case byAnnotation(annotated: SamplePool, others: SamplePool)
    }

    /// The order of all samples chosen, each once an epoch.
    init(selection: SampleSelection, options: StreamOptions) {
        self.selection = selection
        self.options = options
        count = selection.count
        draws = .every
    }

    /// The order of the samples of a split that the options choose.
    ///
    /// - Parameter options: found right by `check()`.
    /// - Throws: as `SampleSelection.init(of:masks:split:options:)`, and `DatasetError` where the dataset has no samples of
    ///   the kinds that the options ask for.
    init(dataset: Dataset, masks: MaskSet?, split: String, options: StreamOptions) throws {
        let selection = try SampleSelection(of: dataset, masks: masks, split: split, options: options)
        self.selection = selection
        self.options = options
        if let balance = options.balance {
            let pools = try ClassPools.make(balance, of: dataset, selection: selection, seed: options.seed)
            var starts: [Int] = []
            var count = 0
            for pool in pools {
                starts.append(count)
                count += pool.drawsPerEpoch
            }
            self.count = count
            draws = .byClass(pools: pools, starts: starts)
        } else if let fraction = options.annotatedFraction {
            guard let masks else { throw SampleSelection.missingMasks }
            count = selection.count
            draws = try Self.byAnnotation(
                fraction, of: selection, masks, options: options, path: dataset.path)
        } else {
            count = selection.count
            draws = .every
        }
    }

    private static func byAnnotation(
        _ fraction: Double, of selection: SampleSelection, _ masks: MaskSet, options: StreamOptions,
        path: String
    ) throws(DatasetError) -> Draws {
        let groups = selection.grouped(into: 2) { masks.isAnnotated($0) ? 0 : 1 }
        let (blocks, rest) = selection.count.quotientAndRemainder(dividingBy: options.batchSize)
        let annotated =
            blocks * share(fraction, of: options.batchSize) + (rest > 0 ? share(fraction, of: rest) : 0)
        let others = selection.count - annotated
        guard annotated == 0 || !groups[0].isEmpty, others == 0 || !groups[1].isEmpty else {
            throw DatasetError(
                .empty, path: path,
                "the annotated fraction \(fraction) needs annotated samples and others, but of the "
                    + "\(selection.count) chosen \(groups[0].count) are annotated")
        }
        return .byAnnotation(
            annotated: SamplePool(rows: groups[0], drawsPerEpoch: annotated, seed: options.seed, number: 0),
            others: SamplePool(rows: groups[1], drawsPerEpoch: others, seed: options.seed, number: 1))
    }

    /// The annotated samples among a number of positions: the fraction of them, halves rounded up.
    private static func share(_ fraction: Double, of count: Int) -> Int {
        min(count, Int((fraction * Double(count) + 0.5).rounded(.down)))
    }

    /// Writes the rows that a batch holds; −1 is a padded sample, whose position lies after the epoch's last.
    ///
    /// - Parameter rows: `batch.count` elements to fill.
    func fill(_ rows: UnsafeMutableBufferPointer<Int64>, of batch: ScheduledBatch) {
        precondition(rows.count == batch.count)
        let permutation =
            options.isShuffled ? KeyedPermutation(count: count, seed: options.seed, epoch: batch.epoch) : nil
        for number in 0..<rows.count {
            let position = batch.position + options.rank + number * options.world
            guard position < count else {
                rows[number] = -1
                continue
            }
            let row =
                switch draws {
                case .every: selection[permutation?(position) ?? position]
                case .byClass(let pools, let starts):
                    Self.row(ofSlot: permutation?(position) ?? position, epoch: batch.epoch, pools, starts)
                case .byAnnotation(let annotated, let others):
                    rowByAnnotation(at: position, epoch: batch.epoch, annotated, others)
                }
            rows[number] = Int64(row)
        }
    }

    private static func row(ofSlot slot: Int, epoch: Int, _ pools: [SamplePool], _ starts: [Int]) -> Int {
        var low = 0
        var high = starts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if starts[middle] <= slot { low = middle } else { high = middle }
        }
        return pools[low].row(ofDraw: slot - starts[low], epoch: epoch)
    }

    private func rowByAnnotation(
        at position: Int, epoch: Int, _ annotated: SamplePool, _ others: SamplePool
    ) -> Int {
        let size = options.batchSize
        let fraction = options.annotatedFraction ?? 0
        let block = position / size
        let start = block * size
        let length = min(size, count - start)
        let blockCount = (count - 1) / size + 1
        let number = UInt64(epoch) &* UInt64(blockCount) &+ UInt64(block)
        let arrangement = KeyedPermutation(
            count: length, seed: SplitMix64.mix(~options.seed), epoch: Int(truncatingIfNeeded: number))
        let slot = arrangement(position - start)
        let share = Self.share(fraction, of: length)
        // All blocks before this one are whole.
        let before = block * Self.share(fraction, of: size)
        return slot < share
            ? annotated.row(ofDraw: before + slot, epoch: epoch)
            : others.row(ofDraw: start - before + slot - share, epoch: epoch)
    }
}

extension StreamOptions {
    /// Whether a stream with these options draws any sample that answers a question.
    ///
    /// - Throws: `DatasetError` where the options choose samples that are not there.
    package func drawsSample(
        from dataset: Dataset, masks: MaskSet, split: String, where isWanted: (Int) -> Bool
    ) throws -> Bool {
        let selection = try SampleSelection(of: dataset, masks: masks, split: split, options: self)
        return (0..<selection.count).contains { isWanted(selection[$0]) }
    }
}

/// The rows of the dataset that a stream draws from, ascending.
///
/// Rows that lie together, as a split's do, take no memory; others 8 bytes each.
enum SampleSelection: Sendable {
    case range(Range<Int>)
    case list([Int])

    /// Applies the options that choose samples: split, ids, then annotation.
    ///
    /// - Throws: `DatasetError` with the code `unknownSplit`; `invalidOption` where annotated samples are wanted and
    ///   there are no masks; `badMetadata` where an id is not in the split or twice in the list; `empty` where no
    ///   sample is annotated.
    init(of dataset: Dataset, masks: MaskSet?, split: String, options: StreamOptions) throws {
        var rows = try dataset.indices(inSplit: split)
        if let ids = options.ids { rows = try Self.rows(of: ids, among: rows, dataset, split: split) }
        if options.annotatedOnly {
            guard let masks else { throw Self.missingMasks }
            rows = rows.filter { masks.isAnnotated($0) }
            guard !rows.isEmpty else {
                throw DatasetError(
                    .empty, path: dataset.path,
                    "no sample that is chosen has a mask with a pixel set, so there is nothing to stream")
            }
        }
        if let first = rows.first, let last = rows.last, last - first == rows.count - 1 {
            self = .range(first..<last + 1)
        } else {
            self = .list(rows)
        }
    }

    static var missingMasks: DatasetError {
        DatasetError(
            .invalidOption, path: "",
            "which samples are annotated is said by masks, and there are none: give \(option: .masks)")
    }

    private static func rows(
        of ids: [String], among rows: [Int], _ dataset: Dataset, split: String
    ) throws -> [Int] {
        let all = try dataset.ids()
        var rowsOfIds: [String: Int] = [:]
        rowsOfIds.reserveCapacity(rows.count)
        for row in rows { rowsOfIds[all[row]] = row }
        var chosen: Set<Int> = []
        for id in ids {
            guard let row = rowsOfIds[id] else {
                let hint =
                    split != "all" && all.contains(id)
                    ? "is not in the split “\(split)”: name its split, or all" : "is not in the dataset"
                throw DatasetError(.badMetadata, path: dataset.path, "the id “\(id)” of the list \(hint)")
            }
            guard chosen.insert(row).inserted else {
                throw DatasetError(.badMetadata, path: dataset.path, "the id “\(id)” is twice in the list")
            }
        }
        return chosen.sorted()
    }

    var count: Int {
        switch self {
        case .range(let range): range.count
        case .list(let rows): rows.count
        }
    }

    subscript(position: Int) -> Int {
        switch self {
        case .range(let range): range.lowerBound + position
        case .list(let rows): rows[position]
        }
    }

    /// The rows in groups by number, from 0; a row without a group is in none.
    func grouped(into groupCount: Int, by group: (Int) -> Int?) -> [[Int]] {
        var groups: [[Int]] = Array(repeating: [], count: groupCount)
        for position in 0..<count {
            let row = self[position]
            if let number = group(row) { groups[number].append(row) }
        }
        return groups
    }
}
