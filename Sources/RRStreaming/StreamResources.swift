internal import Glibc
internal import RRDatasets
internal import RRFormats
internal import RRTensor

/// The memory and threads of a stream. They have no effect on what its batches hold.
public struct StreamResources: Hashable, Sendable {
    /// The bytes that batches and images kept in memory may take; nil for an eighth of the machine's memory, or what two
    /// batches need where that is more.
    public var memory: Int?
    /// The number of threads, at least 1.
    public var threadCount: Int

    /// - Parameters:
    ///   - memory: bytes; nil for an eighth of the machine's memory, or more where two batches need it.
    ///   - threadCount: nil for a thread for each processor core.
    public init(memory: Int? = nil, threadCount: Int? = nil) {
        self.memory = memory
        self.threadCount = max(1, min(threadCount ?? Workers.coreCount, 1024))
    }

    /// The largest number of batches that are filled before they are asked for: more where they are small, for each is there so
    /// soon that who waits for one is better served by several.
    private static func mostBatchesAhead(size: Int) -> Int { max(3, min(16, (16 << 20) / max(1, size))) }

    /// Divides the memory between batches and kept images.
    ///
    /// - Parameter batch: the extents of the largest batch.
    /// - Throws: `DatasetError` with the code `invalidOption` where the memory is too small for two batches, one that the
    ///   consumer has and one that is filled.
    func divide(batch: BatchExtents) throws(DatasetError) -> (batchesAhead: Int, cache: Int) {
        let (least, overflow) = (batch.byteCount ?? .max).multipliedReportingOverflow(by: 2)
        guard !overflow, memory.map({ $0 >= least }) ?? true else {
            throw DatasetError(
                .invalidOption, path: "",
                "two batches of \(batch.count) samples need \(overflow ? "more" : "\(least)") bytes, and the memory "
                    + "is \(memory.map { "\($0) bytes" } ?? "less"): take smaller batches or give more memory"
            )
        }
        let budget = memory ?? max(least, Self.machineMemory / 8)
        let size = least / 2
        // Half the memory at most, beyond the least, and one batch for the consumer.
        let ahead = max(1, min(Self.mostBatchesAhead(size: size), budget / 2 / max(1, size) - 1))
        return (ahead, max(0, budget - (ahead + 1) * size))
    }

    /// Checks that the machine has room for batches whose images have a size of their own, which a slip of the pen can
    /// make as large as it likes, and for what each thread keeps an image in meanwhile.
    ///
    /// - Parameters:
    ///   - batch: the extents of the largest batch.
    ///   - source: the shape of the dataset's images.
    ///   - target: the shape of the images in batches.
    /// - Throws: `DatasetError` with the code `invalidOption`.
    func checkRoom(
        for batch: BatchExtents, resizing source: ImageShape, to target: ImageShape
    ) throws(DatasetError) {
        let middle = Double(source.channels) * Double(target.height) * Double(source.width)
        let picture = 1.5 * Double(max(source.elementCount, target.elementCount))
        let size = Double(MemoryLayout<Float>.size)
        let need = 2 * Double(batch.byteCount ?? .max) + Double(threadCount) * size * (middle + picture)
        guard need <= Double(Self.machineMemory) else {
            throw DatasetError(
                .invalidOption, path: "",
                "images of \(target.height) × \(target.width) pixels in batches of \(batch.count) are too large for "
                    + "this machine's memory: take smaller ones, or smaller batches")
        }
    }

    private static var machineMemory: Int {
        let (pages, size) = (sysconf(Int32(_SC_PHYS_PAGES)), sysconf(Int32(_SC_PAGESIZE)))
        return pages > 0 && size > 0 ? pages.multipliedReportingOverflow(by: size).partialValue : 1 << 31
    }
}
