internal import Dispatch
internal import RRDatasets
internal import Synchronization

/// Memory for some masks, which several threads fill at once.
///
/// Unchecked: `read` is called by one thread, and within it each mask is written by the one thread that has taken it.
final class MaskBlock: @unchecked Sendable {
    /// The number of masks in the block.
    let capacity: Int

    private let maskSize: Int
    private let jobs: Int
    private let bytes: UnsafeMutableBufferPointer<UInt8>

    /// Allocates masks of about 16 MB, and enough of them to keep every thread busy.
    init(maskSize: Int, jobs: Int) {
        self.maskSize = maskSize
        self.jobs = max(1, jobs)
        capacity = max(min(1024, (16 << 20) / max(1, maskSize)), self.jobs)
        bytes = .allocate(capacity: capacity * maskSize)
    }

    deinit { bytes.deallocate() }

    subscript(position: Int) -> UnsafeMutableBufferPointer<UInt8> {
        UnsafeMutableBufferPointer(rebasing: bytes[position * maskSize..<(position + 1) * maskSize])
    }

    /// Reads masks of a source, the first to the first place of the block.
    ///
    /// - Throws: the error of the first mask that has one, whatever the number of threads.
    func read(_ positions: Range<Int>, of source: any MaskSource) throws {
        let next = Atomic<Int>(positions.lowerBound)
        let fault = Mutex<(position: Int, error: any Error)?>(nil)
        DispatchQueue.concurrentPerform(iterations: min(jobs, positions.count)) { _ in
            while true {
                let position = next.add(1, ordering: .relaxed).oldValue
                guard position < positions.upperBound else { return }
                do {
                    try source.readMask(at: position, into: self[position - positions.lowerBound])
                } catch {
                    fault.withLock { first in
                        if first.map({ position < $0.position }) ?? true { first = (position, error) }
                    }
                    // All before this one have been taken; nothing behind it matters.
                    next.store(positions.upperBound, ordering: .relaxed)
                    return
                }
            }
        }
        if let fault = fault.withLock({ $0 }) { throw fault.error }
    }
}
