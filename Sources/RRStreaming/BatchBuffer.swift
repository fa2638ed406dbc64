import Dispatch
import Synchronization

/// The bounded buffer between the thread that reads batches and the consumer.
final class BatchBuffer: Sendable {
    private struct State {
        /// What was read and not taken; a batch, the end (nil) or the error that ended reading.
        var results: [Result<Batch?, any Error>] = []
        var isCancelled = false
    }

    private let state = Mutex(State())
    private let free = DispatchSemaphore(value: 0)
    private let filled = DispatchSemaphore(value: 0)

    init(capacity: Int) {
        // Signalled rather than created with a value: a semaphore must not end below the value it began with.
        for _ in 0..<capacity { free.signal() }
    }

    /// Reads batches on a thread of its own until the last, an error or `cancel()`.
    func fill(from reader: sending BatchReader) {
        let reader = Mutex(reader)
        DispatchQueue(label: "rrdata.stream").async { [self] in
            reader.withLock { reader in
                while wantsMore() {
                    let result = Result { try reader.next() }
                    state.withLock { $0.results.append(result) }
                    filled.signal()
                    guard case .success(.some) = result else { return }
                }
            }
        }
    }

    /// Waits for the next batch; nil is the end.
    func take() throws -> Batch? {
        filled.wait()
        let result = state.withLock { $0.results.removeFirst() }
        free.signal()
        return try result.get()
    }

    /// Stops the reading thread after the batch at hand.
    func cancel() {
        state.withLock { $0.isCancelled = true }
        free.signal()
    }

    private func wantsMore() -> Bool {
        free.wait()
        return state.withLock { !$0.isCancelled }
    }
}
