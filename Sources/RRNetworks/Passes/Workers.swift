import Dispatch
import Glibc
import Synchronization

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

/// A value that several workers use at once though the compiler cannot see why they may.
///
/// `@unchecked Sendable`: whoever makes one sees to it that no two workers write the same element of it, and
/// that what it points to outlives the call of `Workers.run`.
package struct UncheckedSendable<Value>: @unchecked Sendable {
    package let value: Value

    package init(_ value: Value) { self.value = value }
}
