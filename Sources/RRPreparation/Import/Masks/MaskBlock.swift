internal import Dispatch
internal import RRDatasets
internal import RRTensor
internal import Synchronization

/// Memory for some masks, which several threads fill at once.
///
/// Unchecked: `read` is called by one thread, and within it each mask is written by the one thread that has taken it.
final class MaskBlock: @unchecked Sendable {
    /// The number of masks in the block.
    let capacity: Int

    private let maskSize: Int
    private let threadCount: Int
    private let bytes: UnsafeMutableBufferPointer<UInt8>

    /// Allocates masks of about 16 MB, and enough of them to keep every thread busy.
    init(maskSize: Int, threadCount: Int) {
        self.maskSize = maskSize
        self.threadCount = max(1, threadCount)
        capacity = max(min(1024, (16 << 20) / max(1, maskSize)), self.threadCount)
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
        try Workers(count: threadCount).run(parts: positions, makeState: {}) { _, position in
            try source.readMask(at: position, into: self[position - positions.lowerBound])
        }
    }
}
