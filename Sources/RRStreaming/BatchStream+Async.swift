extension BatchStream: AsyncSequence {
    public typealias Element = Batch

    /// The asynchronous loop over a stream, whose threads stop where the task is cancelled.
    public struct AsyncIterator: AsyncIteratorProtocol {
        private let stream: BatchStream

        init(_ stream: BatchStream) { self.stream = stream }

        /// Waits for the next batch without blocking a thread; nil after the last of the last epoch.
        ///
        /// - Throws: as `BatchStream.next()`, and `CancellationError` where the task is cancelled.
        public mutating func next() async throws -> Batch? {
            let crew = stream.crew
            guard !stream.isFinished else { return nil }
            do {
                try Task.checkCancellation()
                let batch = try await withTaskCancellationHandler {
                    try await withCheckedThrowingContinuation { continuation in
                        crew.take { continuation.resume(with: $0) }
                    }
                } onCancel: {
                    crew.cancel()
                }
                // A cancelled crew is at its end.
                if batch == nil { try Task.checkCancellation() }
                stream.isFinished = batch == nil
                return batch
            } catch {
                crew.cancel()
                stream.isFinished = true
                throw error
            }
        }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(self) }
}
