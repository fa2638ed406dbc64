internal import Dispatch
internal import Glibc
internal import Synchronization

/// Threads that stay ready for the next job.
///
/// A training step of a small network takes less than a millisecond, and waking a thread a tenth of one. So a helper
/// looks out for work for a moment before it sleeps, and a job begins at once.
final class WorkerCrew: Sendable {
    /// The crew of the process: a helper for each processor core but the caller's.
    static let shared = WorkerCrew(helperCount: Workers.coreCount - 1)

    private let helpers: [Helper]
    private let isBusy = Atomic(false)

    private init(helperCount: Int) {
        helpers = (0..<helperCount).map { _ in Helper() }
        _ = BackgroundThreads("rrdata.worker", states: helpers) { $0.work() }
    }

    /// Calls `body` with the numbers below `count`, each on a thread of its own, and returns when all have returned.
    ///
    /// - Returns: whether it did; false, without a call, where the crew is at work for another caller or is too small.
    func run(count: Int, _ body: @Sendable (Int) -> Void) -> Bool {
        guard count - 1 <= helpers.count, !isBusy.exchange(true, ordering: .acquiring) else { return false }
        defer { isBusy.store(false, ordering: .releasing) }
        let wanted = helpers.prefix(count - 1)
        withoutActuallyEscaping(body) { body in
            for (index, helper) in wanted.enumerated() { helper.assign { body(index + 1) } }
            body(0)
            // Only then is no helper left that holds the body.
            for helper in wanted { helper.wait() }
        }
        return true
    }
}

/// One thread of a crew, which does one job at a time.
///
/// `@unchecked Sendable`: the leader writes `job` before it moves `state` to `assigned`, the thread clears it before
/// `done`, and each reads the other's writes through that state.
private final class Helper: @unchecked Sendable {
    private enum State {
        static let done = 0
        static let assigned = 1
        static let asleep = 2
    }

    private let state = Atomic(State.done)
    private let alarm = DispatchSemaphore(value: 0)
    private var job: (@Sendable () -> Void)?

    /// Some tens of microseconds: the time between two jobs of a step.
    private static let lookouts = 20_000

    /// Does one job after the other, for good.
    func work() {
        while true {
            awaitJob()
            job?()
            job = nil
            state.store(State.done, ordering: .releasing)
        }
    }

    /// Gives the thread a job; it has none.
    func assign(_ job: @escaping @Sendable () -> Void) {
        self.job = job
        if state.exchange(State.assigned, ordering: .acquiringAndReleasing) == State.asleep { alarm.signal() }
    }

    /// Waits for the end of the job.
    func wait() {
        var lookouts = 0
        while state.load(ordering: .acquiring) == State.assigned {
            lookouts += 1
            if lookouts > Self.lookouts { sched_yield() }
        }
    }

    private func awaitJob() {
        for _ in 0..<Self.lookouts where state.load(ordering: .acquiring) == State.assigned { return }
        let (isAsleep, _) = state.compareExchange(
            expected: State.done, desired: State.asleep, ordering: .acquiringAndReleasing)
        if isAsleep { alarm.wait() }
    }
}
