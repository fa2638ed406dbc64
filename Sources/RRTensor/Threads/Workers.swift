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
        let left = runAlone(parts: parts, threads: threads) { body(0, $0) }
        guard !left.isEmpty else { return }
        let clock = JobClock()
        share(left, threads: threads) { worker, part in
            body(worker, part)
            if worker == 0 { clock.note() }
        }
        WorkerCrew.shared.judge(clock, count: threads)
    }

    /// Runs parts on the caller's thread for as long as helpers are not worth calling.
    ///
    /// - Returns: the parts that are left.
    func runAlone(parts: Int, threads: Int, _ body: (_ part: Int) -> Void) -> Range<Int> {
        var part = 0
        while part < parts, threads == 1 || !WorkerCrew.shared.isWorthCalling(count: threads) {
            body(part)
            part += 1
        }
        return part..<parts
    }

    /// Runs every part once on several threads.
    func share(_ parts: Range<Int>, threads: Int, _ body: @Sendable (_ worker: Int, _ part: Int) -> Void) {
        let next = Atomic(parts.lowerBound)
        let work = { @Sendable (worker: Int) in
            while true {
                let part = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard part < parts.upperBound else { return }
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

/// A value that several workers use at once though the compiler cannot see why they may.
///
/// `@unchecked Sendable`: whoever makes one sees to it that no two workers write the same element of it, and
/// that what it points to outlives the call of `Workers.run`.
package struct UncheckedSendable<Value>: @unchecked Sendable {
    package let value: Value

    package init(_ value: Value) { self.value = value }
}
