internal import RRDatasets
internal import RRFormats
internal import RRTensor
internal import Synchronization

/// Threads that fill batches, a few ahead of the consumer, each taking some samples of a batch at a time.
///
/// Unchecked: all that changes is touched under `monitor`, but for the storages' elements, of which each sample's belong
/// to the thread that took it, and the atomic flag.
final class BatchCrew: @unchecked Sendable {
    /// A batch between its opening and its delivery.
    ///
    /// It holds the memory that the threads write until the last of them is done.
    private struct Slot {
        let storage: BatchStorage
        let batch: ScheduledBatch
        /// The samples that were taken by threads, from the first on.
        var takenRows = 0
        /// The taken samples that are neither filled nor failed.
        var pendingRows = 0
        /// The error of the lowest sample that failed.
        var failure: (row: Int, error: any Error)?

        var isSettled: Bool { pendingRows == 0 && (failure != nil || takenRows == batch.count) }
    }

    /// Some samples of a batch, for one thread.
    private struct Piece {
        let storage: BatchStorage
        let epoch: Int
        let slot: Int
        let rows: Range<Int>
    }

    /// What is waited for: the threads for samples to fill, the consumer for a batch that is filled.
    private enum Event {
        static let work = 0
        static let batch = 1
        /// Half of what is filled ahead, by a consumer that outruns the threads.
        static let several = 2
    }

    private let monitor = Monitor(eventCount: 3)
    private let isCancelled = Atomic<Bool>(false)
    private let imageShape: ImageShape
    private let rowsPerPiece: Int
    private let order: SampleOrder
    private let schedule: BatchSchedule
    private let largestBatch: BatchExtents
    private var slots: [Slot?]
    private var pool: [BatchStorage] = []
    /// The batches that were opened, and of those the ones that were delivered.
    private var opened = 0
    private var delivered = 0
    private var settled = 0
    private var hasFailed = false
    private var hasEnded = false
    private var pace = DeliveryPace()
    /// The one consumer that waits without a thread.
    private var waiter: Waiter?

    /// Takes the next batch; nil is the end.
    typealias Waiter = (Result<Batch?, any Error>) -> Void

    /// As many storages as a stream and its consumer use at once; a consumer that keeps more has them for good.
    private static let spareStorages = 4

    /// - Parameters:
    ///   - order: which samples a batch holds.
    ///   - schedule: how many there are, and of which batches.
    ///   - imageShape: also decides how many samples a thread takes at a time.
    ///   - capacity: the batches that are filled ahead.
    ///   - fillers: one for each thread, which ends with the last batch, an error or `cancel()`.
    /// - Throws: `FormatError` with the code `cannotRead` where the system gives no thread.
    init(
        order: SampleOrder, schedule: BatchSchedule, largestBatch: BatchExtents, imageShape: ImageShape,
        capacity: Int, fillers: sending [SampleFiller], path: String
    ) throws(FormatError) {
        self.order = order
        self.schedule = schedule
        self.largestBatch = largestBatch
        self.imageShape = imageShape
        slots = Array(repeating: nil, count: capacity)
        pool.reserveCapacity(capacity + Self.spareStorages)
        rowsPerPiece = max(1, min(128, 131_072 / max(1, imageShape.elementCount)))
        let threads = BackgroundThreads(states: fillers) { [self] in work($0) }
        guard threads.count > 0 else { throw FormatError.noThread(for: path) }
    }

    /// Stops the threads after the sample at hand, and ends the stream.
    func cancel() {
        isCancelled.store(true, ordering: .relaxed)
        let waiter = monitor.withLock {
            monitor.wakeAll(for: Event.work)
            monitor.wakeAll(for: Event.batch)
            hasEnded = true
            return takeWaiter()
        }
        waiter?(.failure(CancellationError()))
    }

    // MARK: The consumer

    /// Takes the next batch, a batch of nil at the end.
    ///
    /// - Parameters:
    ///   - duration: how long is waited at most, after which the result is nil; nil for as long as it takes.
    ///   - callback: called in place of waiting, from a thread of the crew, where the batch is not there yet; the result is
    ///     nil then.
    func take(
        within duration: Duration? = nil, orLater callback: Waiter? = nil
    ) -> Result<Batch?, any Error>? {
        let clock = ContinuousClock()
        let end = duration.map { clock.now + $0 }
        return monitor.withLock {
            let slot: Slot
            var pause = callback == nil ? pace.pause(for: slots.count) : nil
            while true {
                if hasEnded || delivered == schedule.batchCount { return .success(nil) }
                if delivered < opened, let oldest = slots[delivered % slots.count], oldest.isSettled {
                    slot = oldest
                    break
                }
                if let callback {
                    waiter = callback
                    return nil
                }
                let rest = end.map { clock.now.duration(to: $0) }
                if let rest, rest <= .zero { return nil }
                if let time = pause {
                    monitor.wait(for: Event.several, atMost: min(time, rest ?? time))
                    pause = nil
                } else if let rest {
                    monitor.wait(for: Event.batch, atMost: rest)
                } else {
                    monitor.wait(for: Event.batch)
                }
            }
            pace.note()
            slots[delivered % slots.count] = nil
            delivered += 1
            monitor.wakeAll(for: Event.work)
            hasEnded = slot.failure != nil
            // Who else waits finds the end.
            if hasEnded || delivered == schedule.batchCount { monitor.wakeAll(for: Event.batch) }
            if let failure = slot.failure { return .failure(failure.error) }
            let (storage, extents, count) = (slot.storage, largestBatch, slot.batch.count)
            return .success(
                Batch(
                    imageShape: imageShape,
                    images: SharedElements(storage.images, count: count * extents.floatsPerImage),
                    storedImages: SharedElements(storage.storedImages, count: count * extents.bytesPerImage),
                    labels: SharedElements(storage.labels, count: count),
                    indices: SharedElements(storage.indices, count: count),
                    masks: SharedElements(storage.masks, count: count * extents.elementsPerMask),
                    annotated: SharedElements(storage.annotated, count: count),
                    counterexamples: SharedElements(
                        storage.counterexamples, count: count * extents.floatsPerCounterexample),
                    epoch: slot.batch.epoch, step: slot.batch.step, next: slot.batch.next))
        }
    }

    private func takeWaiter() -> Waiter? {
        defer { waiter = nil }
        return waiter
    }

    // MARK: The threads

    private func work(_ filler: SampleFiller) {
        while let piece = takePiece() {
            var failure: (row: Int, error: any Error)?
            let storage = piece.storage
            for row in piece.rows {
                if isCancelled.load(ordering: .relaxed) { return }
                if row + 1 < piece.rows.upperBound { filler.prepare(row + 1, of: storage) }
                do {
                    try filler.fill(row, of: storage, epoch: piece.epoch)
                } catch {
                    failure = (row, filler.explained(error, ofSampleIn: row, of: storage))
                    break
                }
            }
            let last = failure?.row ?? piece.rows.upperBound - 1
            do {
                // A file that was written to explains every other failure.
                try filler.checkUnchanged(afterReading: Int(storage.indices.elements[last]))
            } catch {
                failure = (last, error)
            }
            finish(piece, failure)
        }
    }

    /// Waits for work, and opens the next batch where none has any left; nil is the end.
    private func takePiece() -> Piece? {
        monitor.withLock {
            while !isCancelled.load(ordering: .relaxed), !hasFailed {
                let newest = (opened - 1) % slots.count
                if opened > delivered, let slot = slots[newest], slot.takenRows < slot.batch.count {
                    let rows = slot.takenRows..<min(slot.takenRows + rowsPerPiece, slot.batch.count)
                    slots[newest]?.takenRows = rows.upperBound
                    slots[newest]?.pendingRows += rows.count
                    return Piece(storage: slot.storage, epoch: slot.batch.epoch, slot: newest, rows: rows)
                }
                guard opened < schedule.batchCount else { return nil }
                guard opened - delivered < slots.count else {
                    monitor.wait(for: Event.work)
                    continue
                }
                let storage = freeStorage()
                let batch = schedule[opened]
                order.fill(
                    UnsafeMutableBufferPointer(rebasing: storage.indices.elements[..<batch.count]), of: batch)
                slots[opened % slots.count] = Slot(storage: storage, batch: batch)
                opened += 1
                monitor.wakeAll(for: Event.work)
            }
            return nil
        }
    }

    private func finish(_ piece: Piece, _ failure: (row: Int, error: any Error)?) {
        let waiter = monitor.withLock { () -> Waiter? in
            slots[piece.slot]?.pendingRows -= piece.rows.count
            if let failure {
                hasFailed = true
                monitor.wakeAll(for: Event.work)
                let lowest = slots[piece.slot]?.failure?.row ?? .max
                if failure.row < lowest { slots[piece.slot]?.failure = failure }
            }
            guard slots[piece.slot]?.isSettled ?? false else { return nil }
            monitor.wakeAll(for: Event.batch)
            settled += 1
            if hasFailed || settled == schedule.batchCount || settled - delivered >= slots.count / 2 {
                monitor.wakeAll(for: Event.several)
            }
            return takeWaiter()
        }
        if let waiter, let result = take(orLater: waiter) { waiter(result) }
    }

    private func freeStorage() -> BatchStorage {
        for index in pool.indices where pool[index].isReusable() { return pool[index] }
        let fresh = BatchStorage(largestBatch)
        if pool.count < slots.count + Self.spareStorages { pool.append(fresh) }
        return fresh
    }
}

/// How fast batches are taken.
///
/// To be woken costs a consumer as much as a small batch does the threads that fill it, and one who outruns them would be woken
/// for each. It lets them fill some batches instead, and finds these without waiting.
struct DeliveryPace {
    private var last = 0
    /// The mean time between two batches in nanoseconds, of which later ones count more; nil before the second.
    private var mean: Int?

    /// The nanoseconds that a batch waits at most for a consumer who lets others follow it.
    private static let longestPause = 500_000

    /// Notes that a batch is taken.
    mutating func note(at now: Int = Monitor.now) {
        if last > 0 { mean = mean.map { $0 + (now - last - $0) / 8 } ?? now - last }
        last = now
    }

    /// How long a consumer that finds no batch leaves the threads alone at most; nil where one is long enough in the making to
    /// be waited for.
    ///
    /// - Parameter capacity: the batches that are filled ahead.
    func pause(for capacity: Int) -> Duration? {
        guard let mean, capacity > 3, mean <= Self.longestPause * 2 / capacity else { return nil }
        return .nanoseconds(mean * capacity / 2)
    }
}
