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
