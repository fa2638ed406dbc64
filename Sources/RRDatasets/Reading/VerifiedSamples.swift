internal import Synchronization

/// Which samples' checksums have been found right: a flag each, which any thread sets and reads.
///
/// Unchecked: the flags are atomic and stay at their place.
final class VerifiedSamples: @unchecked Sendable {
    private let flags: UnsafeMutablePointer<Atomic<Bool>>
    private let count: Int

    init(count: Int) {
        self.count = count
        flags = .allocate(capacity: count)
        for index in 0..<count { (flags + index).initialize(to: Atomic(false)) }
    }

    deinit {
        flags.deinitialize(count: count)
        flags.deallocate()
    }

    func contains(_ index: Int) -> Bool {
        precondition(index >= 0 && index < count)
        return flags[index].load(ordering: .relaxed)
    }

    func insert(_ index: Int) {
        precondition(index >= 0 && index < count)
        flags[index].store(true, ordering: .relaxed)
    }
}
