internal import Dispatch
internal import Glibc
internal import Synchronization

/// A fixed number of threads that share out the parts of a job.
package struct Workers: Sendable {
    /// The number of threads, the caller's among them.
    package let count: Int

    /// - Parameter count: the number of threads; nil for one a processor core.
    package init(count: Int? = nil) {
        self.count = max(1, count ?? Self.coreCount)
    }

    package static var coreCount: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    /// Runs every part once, on whichever worker is free, and returns when all are done.
    ///
    /// - Parameter body: takes the number of the worker, below `count`, and the number of the part. No two
    ///   calls run at the same time under the same worker number.
    package func run(parts: Int, _ body: @Sendable (_ worker: Int, _ part: Int) -> Void) {
        let threads = min(count, parts)
        guard threads > 1 else {
            for part in 0..<parts { body(0, part) }
            return
        }
        let next = Atomic(0)
        let work = { @Sendable (worker: Int) in
            while true {
                let part = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard part < parts else { return }
                body(worker, part)
            }
        }
        if !WorkerCrew.shared.run(count: threads, work) {
            withoutActuallyEscaping(work) { work in
                // What no thread takes, as where the system has none to give, the caller does.
                let others = BackgroundThreads(states: Array(1..<threads)) { work($0) }
                work(0)
                others.wait()
            }
        }
    }
}

extension Workers {
    /// Runs parts of a job that may fail, each worker with a state of its own, and returns when all are done.
    ///
    /// - Parameters:
    ///   - makeState: called by each worker for what it alone uses.
    ///   - body: takes the worker's state and the number of the part.
    /// - Throws: the error of the lowest part that failed, whatever the number of threads; parts above it may not have
    ///   been run.
    package func run<State>(
        parts: Range<Int>, makeState: @Sendable () throws -> State,
        _ body: @Sendable (State, Int) throws -> Void
    ) throws {
        let next = Atomic(parts.lowerBound)
        let failure = Mutex<(part: Int, error: any Error)?>(nil)
        @Sendable func note(_ error: any Error, at part: Int) {
            failure.withLock { first in
                if first.map({ part < $0.part }) ?? true { first = (part, error) }
            }
        }
        run(parts: min(count, parts.count)) { _, _ in
            let state: State
            do { state = try makeState() } catch { return note(error, at: parts.lowerBound) }
            while true {
                let part = next.add(1, ordering: .relaxed).oldValue
                // Parts are handed out in order: all below the failed one are in work or done.
                guard part < parts.upperBound, failure.withLock({ $0 == nil }) else { return }
                do { try body(state, part) } catch { note(error, at: part) }
            }
        }
        if let failure = failure.withLock({ $0 }) { throw failure.error }
    }
}

/// Threads that stay ready for the next job.
///
/// A training step of a small network takes less than a millisecond, and waking a thread a tenth of one. So a helper
/// looks out for work for a moment before it sleeps, and a job begins at once.
///
/// `@unchecked Sendable`: the one caller that has set `isBusy` writes `job`, before it starts a helper and after the last
/// has finished; helpers read it in between.
private final class WorkerCrew: @unchecked Sendable {
    /// The crew of the process: a helper for each processor core but the caller's.
    static let shared = WorkerCrew(helperCount: Workers.coreCount - 1)

    private let helpers: [Helper]
    private let isBusy = Atomic(false)
    private var job: (@Sendable (Int) -> Void)?

    /// Whether this process is a copy that `fork` made of the one with the helpers, which it does not have.
    private static let isCopy = Atomic(false)

    private init(helperCount: Int) {
        helpers = (0..<helperCount).map { Helper(number: $0 + 1) }
        pthread_atfork(nil, nil) { WorkerCrew.isCopy.store(true, ordering: .relaxed) }
        _ = BackgroundThreads(states: helpers) { [self] helper in
            // One job after the other, for good.
            while true {
                helper.awaitStart()
                job?(helper.number)
                helper.finish()
            }
        }
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

    /// Some tens of microseconds: the time between two jobs of a step.
    private static let lookouts = 20_000

    init(number: Int) { self.number = number }

    /// Calls the thread to the job; it is idle.
    func start() {
        if state.exchange(State.called, ordering: .acquiringAndReleasing) == State.asleep { alarm.signal() }
    }

    /// Takes the call back, or waits for the end of the job that it began.
    func wait() {
        guard !move(from: State.called, to: State.idle) else { return }
        var lookouts = 0
        while state.load(ordering: .acquiring) == State.working {
            lookouts += 1
            if lookouts > Self.lookouts { sched_yield() }
        }
    }

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

/// A value that several workers use at once though the compiler cannot see why they may.
///
/// `@unchecked Sendable`: whoever makes one sees to it that no two workers write the same element of it, and
/// that what it points to outlives the call of `Workers.run`.
package struct UncheckedSendable<Value>: @unchecked Sendable {
    package let value: Value

    package init(_ value: Value) { self.value = value }
}

/// A lock on which threads wait until another thread has changed something.
///
/// Unchecked: POSIX's mutex and condition stay at their place and are made for several threads.
package final class Monitor: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let conditions: UnsafeMutablePointer<pthread_cond_t>
    /// The number of threads that wait for each event.
    private var waiting: [Int]

    /// - Parameter eventCount: the number of events that are waited for apart: who waits for one does not wake for another.
    package init(eventCount: Int = 1) {
        conditions = .allocate(capacity: eventCount)
        waiting = Array(repeating: 0, count: eventCount)
        pthread_mutex_init(mutex, nil)
        // A clock that is set does not change how long is waited.
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        for event in 0..<eventCount { pthread_cond_init(conditions + event, &attributes) }
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        for event in waiting.indices { pthread_cond_destroy(conditions + event) }
        pthread_mutex_destroy(mutex)
        conditions.deallocate()
        mutex.deallocate()
    }

    /// Runs a body while no other thread is inside.
    package func withLock<Value, Failure: Error>(
        _ body: () throws(Failure) -> Value
    ) throws(Failure) -> Value {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body()
    }

    /// Lets others in until one of them calls `wakeAll` for the event. It may return early, so what was waited for is asked
    /// again.
    package func wait(for event: Int = 0) {
        waiting[event] += 1
        pthread_cond_wait(conditions + event, mutex)
        waiting[event] -= 1
    }

    /// Waits as `wait(for:)` does, for a time at most.
    package func wait(for event: Int = 0, atMost duration: Duration) {
        var end = timespec()
        clock_gettime(CLOCK_MONOTONIC, &end)
        let (seconds, attoseconds) = max(duration, .zero).components
        let nanoseconds = end.tv_nsec + Int(attoseconds / 1_000_000_000)
        // A century is as good as for ever, and no sum overflows.
        end.tv_sec += Int(min(seconds, 3_155_760_000)) + nanoseconds / 1_000_000_000
        end.tv_nsec = nanoseconds % 1_000_000_000
        waiting[event] += 1
        pthread_cond_timedwait(conditions + event, mutex, &end)
        waiting[event] -= 1
    }

    /// Ends the waiting of every thread for an event, from within the lock.
    package func wakeAll(for event: Int = 0) {
        if waiting[event] > 0 { pthread_cond_broadcast(conditions + event) }
    }
}

/// Threads that run beside their caller, each with a state that it alone uses.
///
/// They are POSIX's own: after a `fork` a process, such as a data loader's worker, may start new ones, which a library of
/// queues does not allow. They take no signals, which are for the threads of the program that this one is a part of.
package struct BackgroundThreads: Sendable {
    /// The number of threads that the system has started: fewer than there are states where it has none to give.
    package let count: Int
    private let running: Running

    /// Starts a thread for each state, which ends when the body returns.
    ///
    /// - Parameter body: takes the thread's state; it sees to it that it comes to an end.
    package init<State>(states: sending [State], _ body: @escaping @Sendable (State) -> Void) {
        let running = Running()
        self.running = running
        var started = 0
        var signals = Self.blockSignals()
        defer { pthread_sigmask(SIG_SETMASK, &signals, nil) }
        for state in states {
            nonisolated(unsafe) let state = state
            let work = Unmanaged.passRetained(Work(running) { body(state) })
            running.add(1)
            var thread = pthread_t()
            if pthread_create(&thread, nil, Self.run, work.toOpaque()) == 0 {
                pthread_detach(thread)
                started += 1
            } else {
                work.release()
                running.add(-1)
            }
        }
        count = started
    }

    /// Waits until all threads have ended.
    package func wait() { running.awaitZero() }

    /// What a thread does, on its way through C.
    private final class Work {
        let running: Running
        var body: (() -> Void)?

        init(_ running: Running, _ body: @escaping () -> Void) {
            self.running = running
            self.body = body
        }
    }

    private static let run: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = {
        guard let work = $0 else { return nil }
        let retained = Unmanaged<Work>.fromOpaque(work).takeRetainedValue()
        retained.body?()
        // Nothing holds it when that is said: it may be one that does not outlive the waiting.
        retained.body = nil
        retained.running.add(-1)
        return nil
    }

    /// A thread begins with the signal mask of the one that starts it. What a fault in the thread itself raises stays.
    ///
    /// - Returns: the mask before.
    private static func blockSignals() -> sigset_t {
        var (blocked, before) = (sigset_t(), sigset_t())
        sigfillset(&blocked)
        for fault in [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT] { sigdelset(&blocked, fault) }
        pthread_sigmask(SIG_BLOCK, &blocked, &before)
        return before
    }

    /// How many threads have not ended.
    ///
    /// Unchecked: the number is touched under `monitor`.
    private final class Running: @unchecked Sendable {
        private let monitor = Monitor()
        private var count = 0

        func add(_ number: Int) {
            monitor.withLock {
                count += number
                if count == 0 { monitor.wakeAll() }
            }
        }

        func awaitZero() {
            monitor.withLock { while count > 0 { monitor.wait() } }
        }
    }
}
