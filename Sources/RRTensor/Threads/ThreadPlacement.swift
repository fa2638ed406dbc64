internal import CThreads
internal import Glibc

/// On which processors a thread works that helps another one.
struct ThreadPlacement {
    private var thread: pthread_t?
    /// What it may run on at most: what its process may, as a rule.
    private var allowed: ProcessorSet?
    /// The processor of the other, which it is kept away from.
    private var avoided: Int?

    /// Notes that the thread, which is the one that calls, begins.
    mutating func begin() {
        thread = pthread_self()
        allowed = ProcessorSet(of: pthread_self())
    }

    /// Keeps the thread, from its next sleep on, off the processor of the one that calls.
    ///
    /// Linux wakes a thread where the one runs that calls it, if no processor is idle: it would take the processor from the one
    /// it is to help.
    mutating func keepAway() {
        let processor = Int(rr_current_processor())
        guard processor != avoided, let thread, let others = allowed?.without(processor) else { return }
        if others.apply(to: thread) { avoided = processor }
    }
}

/// Processors that a thread may run on.
private struct ProcessorSet {
    private var bits: [UInt]

    /// As many as Linux's own set has. On a machine with more, threads run anywhere.
    private static let size = 1024

    /// Those of a thread.
    init?(of thread: pthread_t) {
        bits = Array(repeating: 0, count: Self.size / UInt.bitWidth)
        guard rr_get_processors(thread, Self.size / 8, &bits) == 0 else { return nil }
    }

    /// The others; nil where there are none.
    func without(_ processor: Int) -> ProcessorSet? {
        guard 0..<Self.size ~= processor else { return nil }
        var others = self
        others.bits[processor / UInt.bitWidth] &= ~(1 << (processor % UInt.bitWidth))
        return others.bits.contains { $0 != 0 } ? others : nil
    }

    /// - Returns: whether the thread now runs on no others.
    func apply(to thread: pthread_t) -> Bool { rr_set_processors(thread, Self.size / 8, bits) == 0 }
}
