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
