internal import Dispatch
internal import Glibc
internal import Synchronization

/// Threads that work on samples, a few thousand of them at a time.
package struct SampleCrew {
    /// As many threads as pay where nobody says how many.
    package static var coreCount: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    /// The number of threads; it has no effect on the result.
    package let jobs: Int

    package init(jobs: Int) { self.jobs = jobs }

    /// Works on positions, each by one thread, and returns when all are done.
    ///
    /// - Parameters:
    ///   - makeWorker: called on each thread for what it alone uses.
    ///   - work: called with a position.
    /// - Throws: the error of the lowest position that failed; positions above may not have been worked on.
    package func run<Worker>(
        _ positions: Range<Int>, makeWorker: @Sendable () -> Worker,
        work: @Sendable (Worker, Int) throws -> Void
    ) throws {
        let next = Atomic<Int>(positions.lowerBound)
        let failure = Mutex<(position: Int, error: any Error)?>(nil)
        DispatchQueue.concurrentPerform(iterations: max(1, min(jobs, positions.count))) { _ in
            let worker = makeWorker()
            while true {
                let position = next.add(1, ordering: .relaxed).oldValue
                // Positions are handed out in order: all below the failed one are in work or done.
                guard position < positions.upperBound, failure.withLock({ $0 == nil }) else { return }
                do {
                    try work(worker, position)
                } catch {
                    failure.withLock { first in
                        if first.map({ position < $0.position }) ?? true { first = (position, error) }
                    }
                }
            }
        }
        if let failure = failure.withLock({ $0 }) { throw failure.error }
    }
}
