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
            DispatchQueue.concurrentPerform(iterations: threads, execute: work)
        }
    }
}

extension Workers {
    /// Runs a job on as many threads as there are workers, and a body on the caller's thread beside them, and returns when
    /// all are done.
    ///
    /// The job may take long and wait for the body, so it takes threads of its own, not those that stay ready for short
    /// jobs.
    ///
    /// - Parameter job: called once by each worker; it sees from what the body leaves behind when it has to end.
    /// - Throws: what `body` throws, after the job has ended.
    package func run<Value, Failure: Error>(
        _ job: @escaping @Sendable () -> Void, beside body: () throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let threads = BackgroundThreads("rrdata.job", states: Array(0..<count)) { _ in job() }
        defer { threads.wait() }
        return try body()
    }

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

/// Threads that run beside their caller, each with a state that it alone uses.
package struct BackgroundThreads: Sendable {
    private let group = DispatchGroup()

    /// Starts a thread for each state, which ends when the body returns.
    ///
    /// - Parameters:
    ///   - label: the name that a debugger shows.
    ///   - body: takes the thread's state; it sees to it that it comes to an end.
    package init<State>(
        _ label: String, states: sending [State], _ body: @escaping @Sendable (State) -> Void
    ) {
        for state in states {
            nonisolated(unsafe) let state = state
            // A queue of its own has a thread of its own, however many there are.
            DispatchQueue(label: label, qos: .userInitiated).async(group: group) { body(state) }
        }
    }

    /// Waits until all threads have ended.
    package func wait() { group.wait() }
}

/// A value that several workers use at once though the compiler cannot see why they may.
///
/// `@unchecked Sendable`: whoever makes one sees to it that no two workers write the same element of it, and
/// that what it points to outlives the call of `Workers.run`.
package struct UncheckedSendable<Value>: @unchecked Sendable {
    package let value: Value

    package init(_ value: Value) { self.value = value }
}
