internal import RRDatasets
internal import RRFormats
internal import RRTensor

/// Which row of the dataset stands at each position of each epoch: a function of the options, not a state.
///
/// Memory is O(1) for all samples and for rows that lie together, 8 bytes a chosen sample otherwise.
/// `RRStreaming.docc/stream-order.md` defines it for other implementations.
struct SampleOrder: Sendable {
    /// The number of positions in an epoch.
    let count: Int
    /// Whether the masks mark a pixel of any sample that the options choose.
    let hasAnnotation: Bool
    /// The rows that the options choose, ascending, however often they are drawn.
    let chosenRows: [Int]
    private let options: StreamOptions
    private let draws: Draws

    private enum Draws: Sendable {
        /// Every sample once: rows that lie together, as a split's do, take no memory.
        case range(Range<Int>)
        /// The same of rows that do not, ascending; or rows as they were listed.
        case list([Int])
        /// A pool a class; the slots of class c begin at `starts[c]`.
        case byClass(pools: [SamplePool], starts: [Int])
        /// Annotated and unannotated samples.
        case byAnnotation(annotated: SamplePool, others: SamplePool)
    }

    /// The order of rows that lie together, each once an epoch.
    init(rows: Range<Int>, options: StreamOptions) {
        self.options = options
        count = rows.count
        chosenRows = []
        hasAnnotation = false
        draws = .range(rows)
    }

    /// The order of rows that are listed, any number of times each; −1 is a padded sample.
    init(list rows: [Int], options: StreamOptions) {
        self.options = options
        count = rows.count
        chosenRows = []
        hasAnnotation = false
        draws = .list(rows)
    }

    /// The order of the samples that the options choose by split, ids, then annotation.
    ///
    /// - Parameter options: found right by `check()`.
    /// - Throws: `DatasetError` with the code `unknownSplit`; `invalidOption` where annotated samples are wanted and
    ///   there are no masks; `badMetadata` where an id is not in the split or twice in the list; `missingLabels` or
    ///   `empty` where there are no samples of the kinds that the options ask for.
    init(dataset: Dataset, masks: MaskSet?, split: String, options: StreamOptions) throws {
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
        chosenRows = options.swapsRegions ? rows : []
        hasAnnotation = masks.map { rows.contains(where: $0.isAnnotated) } ?? false
        self.options = options
        if let balance = options.balance {
            let pools = try ClassPools.make(balance, of: dataset, rows: rows, seed: options.seed)
            var starts: [Int] = []
            var count = 0
            for pool in pools {
                starts.append(count)
                count += pool.drawsPerEpoch
            }
            self.count = count
            draws = .byClass(pools: pools, starts: starts)
            return
        }
        count = rows.count
        if let fraction = options.annotatedFraction {
            guard let masks else { throw Self.missingMasks }
            draws = try Self.byAnnotation(fraction, of: rows, masks, options: options, path: dataset.path)
        } else if let first = rows.first, let last = rows.last, last - first == rows.count - 1 {
            draws = .range(first..<last + 1)
        } else {
            draws = .list(rows)
        }
    }

    private static func byAnnotation(
        _ fraction: Double, of rows: [Int], _ masks: MaskSet, options: StreamOptions, path: String
    ) throws(DatasetError) -> Draws {
        let (marked, plain) = (rows.filter(masks.isAnnotated), rows.filter { !masks.isAnnotated($0) })
        let (blocks, rest) = rows.count.quotientAndRemainder(dividingBy: options.batchSize)
        let annotated =
            blocks * share(fraction, of: options.batchSize) + (rest > 0 ? share(fraction, of: rest) : 0)
        let others = rows.count - annotated
        guard annotated == 0 || !marked.isEmpty, others == 0 || !plain.isEmpty else {
            throw DatasetError(
                .empty, path: path,
                "the annotated fraction \(fraction) needs annotated samples and others, but of the "
                    + "\(rows.count) chosen \(marked.count) are annotated")
        }
        return .byAnnotation(
            annotated: SamplePool(rows: marked, drawsPerEpoch: annotated, seed: options.seed, number: 0),
            others: SamplePool(rows: plain, drawsPerEpoch: others, seed: options.seed, number: 1))
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
                case .range(let range): range.lowerBound + (permutation?(position) ?? position)
                case .list(let list): list[permutation?(position) ?? position]
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

// What the options choose.
extension SampleOrder {
    private static var missingMasks: DatasetError {
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
                let hint: Message =
                    split != "all" && all.contains(id)
                    ? "is not in the split “\(split)”: name its split, or all"
                    : "is not in the dataset" + NearestNames(to: id, among: all).question
                throw DatasetError(.badMetadata, path: dataset.path, "the id “\(id)” of the list " + hint)
            }
            guard chosen.insert(row).inserted else {
                throw DatasetError(.badMetadata, path: dataset.path, "the id “\(id)” is twice in the list")
            }
        }
        return chosen.sorted()
    }
}

/// One batch of one rank: where it stands in the order.
struct ScheduledBatch: Hashable, Sendable {
    let epoch: Int
    /// The number of the batch within its epoch, from 0.
    let step: Int
    /// The first position of all ranks' batches of this step. Rank R takes every W-th from `position + R` on.
    let position: Int
    /// The number of samples, padded ones included: the same for every rank.
    let count: Int
    /// Where the stream goes on after this step.
    let next: StreamPosition
}

/// How the positions of the epochs are cut into batches for ranks: a function of the number of a batch.
///
/// A step takes B · W positions in a row, and rank R those with the remainder R. What is left at an epoch's end makes a
/// step of smaller batches, padded to one size, or is dropped. So every rank has the same number of batches of the
/// same sizes.
struct BatchSchedule: Sendable {
    /// The number of batches in a whole epoch.
    let batchesPerEpoch: Int
    /// The number of batches from the start on; the largest number there is where it would exceed that.
    let batchCount: Int
    /// The number of this rank's samples in a whole epoch, without padded ones.
    let samplesPerEpoch: Int
    /// The number of this rank's samples from the start on, without padded ones; the largest number there is where it
    /// would exceed that.
    let sampleCount: Int

    private let positionCount: Int
    private let batchSize: Int
    private let world: Int
    private let dropsLast: Bool
    private let start: StreamPosition
    private let stride: Int
    private let firstEpochBatches: Int

    /// - Parameters:
    ///   - positionCount: the number of positions in an epoch.
    ///   - options: found right by `check()`.
    ///   - start: at most the end of the last epoch.
    init(positionCount: Int, options: StreamOptions, start: StreamPosition) {
        self.positionCount = positionCount
        self.start = start
        batchSize = options.batchSize
        world = options.world
        dropsLast = options.dropsLast
        let (product, overflow) = options.batchSize.multipliedReportingOverflow(by: options.world)
        let stride = overflow ? Int.max : product
        self.stride = stride
        func batches(_ rest: Int) -> Int {
            rest <= 0 ? 0 : options.dropsLast ? rest / stride : (rest - 1) / stride + 1
        }
        func samples(_ rest: Int) -> Int {
            options.dropsLast
                ? batches(rest) * options.batchSize
                : rest <= options.rank ? 0 : (rest - options.rank - 1) / options.world + 1
        }
        batchesPerEpoch = batches(positionCount)
        samplesPerEpoch = samples(positionCount)
        let isAtEnd = start.epoch >= options.epochs
        let firstRest = isAtEnd ? 0 : positionCount - start.position
        firstEpochBatches = batches(firstRest)
        let laterEpochs = isAtEnd ? 0 : options.epochs - start.epoch - 1
        func total(_ first: Int, _ each: Int) -> Int {
            let (product, overflow) = each.multipliedReportingOverflow(by: laterEpochs)
            let (sum, overflowOfSum) = product.addingReportingOverflow(first)
            return overflow || overflowOfSum ? .max : sum
        }
        batchCount = total(firstEpochBatches, batchesPerEpoch)
        sampleCount = total(samples(firstRest), samplesPerEpoch)
    }

    /// The size of the largest batch, and 1 where there is none.
    var largestBatch: Int { min(batchSize, positionCount == 0 ? 1 : (positionCount - 1) / world + 1) }

    /// A batch by its number from the start on.
    subscript(number: Int) -> ScheduledBatch {
        precondition(number >= 0 && number < batchCount)
        let epoch: Int
        let position: Int
        if number < firstEpochBatches {
            epoch = start.epoch
            position = start.position + number * stride
        } else {
            let later = (number - firstEpochBatches).quotientAndRemainder(dividingBy: batchesPerEpoch)
            epoch = start.epoch + 1 + later.quotient
            position = later.remainder * stride
        }
        let rest = positionCount - position
        let isLast = dropsLast ? rest - stride < stride : rest <= stride
        return ScheduledBatch(
            epoch: epoch, step: position / stride, position: position,
            count: rest >= stride ? batchSize : (rest - 1) / world + 1,
            next: isLast
                ? StreamPosition(epoch: epoch + 1, position: 0)
                : StreamPosition(epoch: epoch, position: position + stride))
    }
}
