internal import Dispatch
internal import Glibc
internal import Synchronization

/// Threads that stay ready for the next job.
///
/// A training step of a small network takes less than a millisecond, and waking a thread a tenth of one. So a helper
/// looks out for work for a moment before it sleeps, and a job begins at once.
///
/// `@unchecked Sendable`: the one caller that has set `isBusy` writes `job`, before it starts a helper and after the last
/// has finished; helpers read it in between.
final class WorkerCrew: @unchecked Sendable {
    /// The crew of the process: a helper for each processor core but the caller's.
    static let shared = WorkerCrew(helperCount: Workers.coreCount - 1)

    let standing = HelperStanding()
    private let helpers: [Helper]
    private let isBusy = Atomic(false)
    private var job: (@Sendable (Int) -> Void)?

    /// Whether this process is a copy that `fork` made of the one with the helpers, which it does not have.
    private static let isCopy = Atomic(false)

    init(helperCount: Int) {
        helpers = (0..<helperCount).map { Helper(number: $0 + 1) }
        pthread_atfork(nil, nil) { WorkerCrew.isCopy.store(true, ordering: .relaxed) }
        _ = BackgroundThreads(states: helpers) { [self] helper in
            helper.begin()
            // One job after the other, for good.
            while true {
                helper.awaitStart()
                job?(helper.number)
                helper.finish()
            }
        }
    }

    /// Whether so many threads are to be asked for a job, or for what is left of it. Those that are more than the crew are
    /// started for it, whatever is known of the crew.
    func isWorthCalling(count: Int) -> Bool { count - 1 > helpers.count || standing.allowsHelp() }

    /// Judges a job that helpers took part in, at its end.
    func judge(_ clock: JobClock, count: Int) {
        guard count - 1 <= helpers.count else { return }
        let (worked, waited) = clock.durations
        standing.judge(worked: worked, waited: waited, threadCount: count)
    }

    /// Calls `body` with 0, and with the other numbers below `count` on whatever helpers are at hand before that call has
    /// returned; returns when all calls have.
    ///
    /// A helper that the system has not let run by then, as on a busy machine, is not waited for.
    ///
    /// - Parameter body: leaves nothing to do when it returns, whatever the number that it was called with.
    /// - Returns: whether it did; false, without a call, where the crew is at work for another caller, is too small or was
    ///   left behind by a `fork`.
    func run(count: Int, _ body: @Sendable (Int) -> Void) -> Bool {
        guard count - 1 <= helpers.count, !Self.isCopy.load(ordering: .relaxed),
            !isBusy.exchange(true, ordering: .acquiring)
        else { return false }
        defer { isBusy.store(false, ordering: .releasing) }
        let wanted = helpers.prefix(count - 1)
        withoutActuallyEscaping(body) { body in
            job = body
            for helper in wanted { helper.start() }
            body(0)
            // Only then is no helper left that uses the body.
            for helper in wanted { helper.wait() }
            job = nil
        }
        return true
    }
}

/// When one thread of a crew works.
private final class Helper: Sendable {
    private enum State {
        static let idle = 0
        static let called = 1
        static let working = 2
        static let asleep = 3
    }

    /// What the job knows the thread by, from 1.
    let number: Int
    private let state = Atomic(State.idle)
    private let alarm = DispatchSemaphore(value: 0)
    private let placement = Mutex(ThreadPlacement())

    /// Some tens of microseconds: the time between two jobs of a step.
    private static let lookouts = 20_000

    init(number: Int) { self.number = number }

    /// Calls the thread to the job; it is idle.
    func start() {
        guard state.exchange(State.called, ordering: .acquiringAndReleasing) == State.asleep else { return }
        placement.withLock { $0.keepAway() }
        alarm.signal()
    }

    /// Takes the call back, or waits for the end of the job that it began.
    func wait() {
        guard !move(from: State.called, to: State.idle) else { return }
        var lookout = Lookout()
        while state.load(ordering: .acquiring) == State.working { lookout.wait() }
    }

    /// Begins the thread, on itself.
    func begin() { placement.withLock { $0.begin() } }

    /// Waits until there is a job to do, on the thread itself.
    func awaitStart() {
        while true {
            for _ in 0..<Self.lookouts
            where state.load(ordering: .relaxed) == State.called
                && move(from: State.called, to: State.working)
            {
                return
            }
            // Who calls it out of its sleep may take that back before it wakes.
            if move(from: State.idle, to: State.asleep) { alarm.wait() }
        }
    }

    /// Ends the job, on the thread itself.
    func finish() { state.store(State.idle, ordering: .releasing) }

    private func move(from state: Int, to next: Int) -> Bool {
        self.state.compareExchange(expected: state, desired: next, ordering: .acquiringAndReleasing).exchanged
    }
}

/// How a thread waits for what is about to happen: it looks out for some hundreds of microseconds, and from then on sleeps in
/// between.
///
/// It never yields. A yield gives the rest of a thread's slice away (Linux from 6.18 on) to whoever else is there: a helper that
/// looks out so gets no processor for tens of milliseconds. A sleeping thread also leaves its processor to a helper that waits
/// for another one. But the caller of a job waits for a helper that sleeps, as long as a small network takes for a quarter of a
/// step: so a sleep comes late.
struct Lookout {
    private var roundsLeft = 200_000

    mutating func wait() {
        if roundsLeft > 0 { roundsLeft -= 1 } else { usleep(50) }
    }
}
