internal import Glibc

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
        Self.withSignalsBlocked {
            for state in states {
                nonisolated(unsafe) let state = state
                running.add(1)
                if Self.start(Work(running) { body(state) }) { started += 1 } else { running.add(-1) }
            }
        }
        count = started
    }

    /// Waits until all threads have ended.
    package func wait() { running.awaitZero() }

    /// What a thread does, on its way through C.
    private final class Work {
        private let running: Running
        private var body: (() -> Void)?

        init(_ running: Running, _ body: @escaping () -> Void) {
            self.running = running
            self.body = body
        }

        /// Does it, and says so when nothing is left that holds the body: it may be one that does not outlive the waiting.
        func run() {
            runBody()
            running.add(-1)
        }

        private func runBody() {
            let body = body
            self.body = nil
            body?()
        }
    }

    private static func start(_ work: Work) -> Bool {
        var attributes = pthread_attr_t()
        guard pthread_attr_init(&attributes) == 0 else { return false }
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        let work = Unmanaged.passRetained(work)
        var thread = pthread_t()
        let failure = pthread_create(
            &thread, &attributes,
            { argument in
                if let argument { Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            }, work.toOpaque())
        if failure != 0 { work.release() }
        return failure == 0
    }

    /// A thread begins with the signal mask of the one that starts it. What a fault in the thread itself raises stays.
    private static func withSignalsBlocked(_ body: () -> Void) {
        var (blocked, before) = (sigset_t(), sigset_t())
        sigfillset(&blocked)
        for fault in [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT] { sigdelset(&blocked, fault) }
        pthread_sigmask(SIG_BLOCK, &blocked, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        body()
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
