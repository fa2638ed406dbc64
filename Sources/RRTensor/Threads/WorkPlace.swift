internal import Synchronization

extension Workers {
    /// Runs every part once, at most `places` of them at a time, and returns when all are done.
    ///
    /// A thread that finds no part, because there are fewer or because memory is for fewer, does pieces of those that
    /// others are at: what a part hands out by `WorkPlace.share`.
    ///
    /// - Parameters:
    ///   - pieces: the most pieces that a part is worth: threads beyond as many at each place are left asleep.
    ///   - body: takes the number of the part, and where it is done. No two calls run at the same time at one place.
    package func run(
        parts: Int, places placeCount: Int, pieces: Int,
        _ body: @Sendable (_ part: Int, _ place: WorkPlace) -> Void
    ) {
        guard parts > 0 else { return }
        let floor = WorkFloor(placeCount: max(min(placeCount, parts, count), 1), partCount: parts)
        // Its places do not hold it.
        defer { withExtendedLifetime(floor) {} }
        let threads = min(count, floor.places.count * max(pieces, 1))
        let left = runAlone(parts: parts, threads: threads) { body($0, floor.places[0]) }
        guard !left.isEmpty else { return }
        floor.begin(at: left.lowerBound)
        let clock = JobClock()
        share(0..<threads, threads: threads) { worker, _ in
            let clock = worker == 0 ? clock : nil
            floor.work(as: worker, clock, body)
            floor.help(as: worker, clock)
        }
        WorkerCrew.shared.judge(clock, count: threads)
    }
}

/// Where one part of a job after the other is done, with the help of threads that have none.
///
/// `@unchecked Sendable`: the thread that works here writes `body` and `pieceCount` while `isOpen` is false and no visitor
/// is left; visitors read them between counting themselves and leaving, if it was open by then.
package final class WorkPlace: @unchecked Sendable {
    /// The number of the place, below the number of places.
    package let number: Int
    /// The number of the thread that works here, below the number of workers.
    package fileprivate(set) var worker = 0

    /// Outlives the work at its places. Unsafe, since a counted reference is written to at each use, and the threads that look
    /// out for work there read what lies beside the count.
    private unowned(unsafe) let floor: WorkFloor
    private var body: ((_ worker: Int, _ piece: Int) -> Void)?
    private var pieceCount = 0
    private let next = Atomic(0)
    private let isOpen = Atomic(false)
    private let visitors = Atomic(0)

    fileprivate init(number: Int, on floor: WorkFloor) {
        self.number = number
        self.floor = floor
    }

    /// As many pieces as keep the threads busy that have no part of their own at this moment, and at most `limit`.
    ///
    /// There are twice as many as threads, since on a busy machine some are slower than others.
    package func pieceCount(upTo limit: Int) -> Int {
        let helpers = helperCount
        guard helpers > 0 else { return 1 }
        return min(limit, 2 * (1 + (helpers + floor.places.count - 1) / floor.places.count))
    }

    private var helperCount: Int { floor.helperCount.load(ordering: .relaxed) }

    /// Runs every piece once, on this thread and on those that have nothing else to do, and returns when all are done.
    ///
    /// - Parameter body: takes the number of the thread that it runs on, below the number of workers, and that of the
    ///   piece. No two calls run at the same time under one number of a thread.
    package func share(_ pieces: Int, _ body: (_ worker: Int, _ piece: Int) -> Void) {
        guard pieces > 1, helperCount > 0 else {
            for piece in 0..<pieces { body(worker, piece) }
            return
        }
        withoutActuallyEscaping(body) { body in
            self.body = body
            pieceCount = pieces
            next.store(0, ordering: .relaxed)
            isOpen.store(true, ordering: .sequentiallyConsistent)
            floor.openPlaceCount.add(1, ordering: .relaxed)
            takePieces(as: worker)
            floor.openPlaceCount.subtract(1, ordering: .relaxed)
            isOpen.store(false, ordering: .sequentiallyConsistent)
            // Who came in while it was open may still be at a piece.
            var lookout = Lookout()
            while visitors.load(ordering: .sequentiallyConsistent) > 0 { lookout.wait() }
            self.body = nil
        }
    }

    /// Does pieces of what is shared here, if anything is.
    fileprivate func visit(as worker: Int) -> Bool {
        guard isOpen.load(ordering: .relaxed) else { return false }
        visitors.add(1, ordering: .sequentiallyConsistent)
        defer { visitors.subtract(1, ordering: .sequentiallyConsistent) }
        return isOpen.load(ordering: .sequentiallyConsistent) && takePieces(as: worker)
    }

    /// - Returns: whether there was any.
    @discardableResult
    private func takePieces(as worker: Int) -> Bool {
        guard let body else { return false }
        var hasWorked = false
        while true {
            let piece = next.add(1, ordering: .relaxed).oldValue
            guard piece < pieceCount else { return hasWorked }
            body(worker, piece)
            hasWorked = true
        }
    }
}

/// The places of one job.
///
/// `@unchecked Sendable`: the array is written before any thread sees it.
private final class WorkFloor: @unchecked Sendable {
    private(set) var places: [WorkPlace] = []
    let helperCount = Atomic(0)
    /// The places at which there are pieces to take.
    let openPlaceCount = Atomic(0)

    private let partCount: Int
    private let nextPlace = Atomic(0)
    private let nextPart = Atomic(0)
    private let doneParts = Atomic(0)

    init(placeCount: Int, partCount: Int) {
        self.partCount = partCount
        places = (0..<placeCount).map { WorkPlace(number: $0, on: self) }
    }

    /// Leaves out parts that are done.
    func begin(at part: Int) {
        nextPart.store(part, ordering: .relaxed)
        doneParts.store(part, ordering: .relaxed)
    }

    /// Takes a place, if there is one left, and does parts there until none is left.
    ///
    /// - Parameter clock: is told of each; nil where nobody asks.
    func work(as worker: Int, _ clock: JobClock?, _ body: (Int, WorkPlace) -> Void) {
        let number = nextPlace.add(1, ordering: .relaxed).oldValue
        guard number < places.count else { return }
        places[number].worker = worker
        while true {
            let part = nextPart.add(1, ordering: .relaxed).oldValue
            guard part < partCount else { return }
            body(part, places[number])
            clock?.note()
            doneParts.add(1, ordering: .releasing)
        }
    }

    /// Helps at all places until all parts are done.
    func help(as worker: Int, _ clock: JobClock?) {
        helperCount.add(1, ordering: .relaxed)
        defer { helperCount.subtract(1, ordering: .relaxed) }
        var lookout = Lookout()
        while doneParts.load(ordering: .acquiring) < partCount {
            // Who only looks out touches nothing that those at work write to, such as the counts of references to a place.
            guard openPlaceCount.load(ordering: .relaxed) > 0, visitPlaces(as: worker) else {
                lookout.wait()
                continue
            }
            clock?.note()
            lookout = Lookout()
        }
    }

    /// - Returns: whether there was any piece to do.
    private func visitPlaces(as worker: Int) -> Bool {
        var hasWorked = false
        for offset in places.indices {
            // Each begins elsewhere, or all would crowd at the first.
            hasWorked = places[(worker + offset) % places.count].visit(as: worker) || hasWorked
        }
        return hasWorked
    }
}
