internal import Glibc

/// A lock on which threads wait until another thread has changed something.
///
/// Unchecked: POSIX's mutex and condition stay at their place and are made for several threads.
package final class Monitor: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var waiting = 0

    package init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
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

    /// Lets others in until one of them calls `wakeAll`. It may return early, so what was waited for is asked again.
    package func wait() {
        waiting += 1
        pthread_cond_wait(condition, mutex)
        waiting -= 1
    }

    /// Ends the waiting of every thread, from within the lock.
    package func wakeAll() {
        if waiting > 0 { pthread_cond_broadcast(condition) }
    }
}
