internal import Glibc

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

    /// The nanoseconds of the clock that waits go by, which nobody sets.
    package static var now: Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }

    /// Ends the waiting of every thread for an event, from within the lock.
    package func wakeAll(for event: Int = 0) {
        if waiting[event] > 0 { pthread_cond_broadcast(conditions + event) }
    }
}
