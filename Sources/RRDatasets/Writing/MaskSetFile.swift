internal import RRFormats
internal import RRTensor

/// A mask set file that is written mask by mask, so that memory does not grow with their number.
final class MaskSetFile {
    /// Where the file appears once it is finished and the output is committed.
    private(set) var output: AtomicOutput

    private var file: HDF5File
    private var array: HDF5Dataset
    private let capacity: Int
    private let maskShape: ImageShape
    /// The last masks of those that were added.
    private let block: UnsafeMutableBufferPointer<UInt8>
    private var blockCount = 0
    /// The masks that were added.
    private var count = 0
    /// The CRC-32 of each mask that was written.
    private var checksums: [UInt32] = []

    private static let blockSize = 4 << 20

    /// Starts a file with room for masks.
    ///
    /// - Parameters:
    ///   - capacity: the most masks that will be added.
    ///   - maskShape: `(C or 1, H, W)`.
    /// - Throws: `FormatError` with the code `cannotWrite`; `TensorError` where the masks have more elements than memory
    ///   can address.
    init(_ output: AtomicOutput, capacity: Int, maskShape: ImageShape) throws {
        self.output = output
        self.capacity = capacity
        self.maskShape = maskShape
        let shape = try TensorShape([capacity + 1] + maskShape.dimensions)
        file = try output.whilePending { path throws(FormatError) in
            try HDF5File(creating: path, path: output.path)
        }
        array = try file.createDataset("/A", type: .uint8, shape: shape)
        let size = maskShape.elementCount
        block = .allocate(capacity: size * min(max(1, capacity), max(1, Self.blockSize / max(1, size))))
        block.initialize(repeating: 0)
    }

    deinit { block.deallocate() }

    /// Adds a mask as the next row of A.
    ///
    /// - Returns: the memory for its `maskShape.elementCount` bytes, each to be set to 0 or 1 before the next call.
    /// - Throws: `FormatError` with the code `cannotWrite`.
    func addMask() throws -> UnsafeMutableBufferPointer<UInt8> {
        precondition(count < capacity)
        let size = maskShape.elementCount
        if (blockCount + 1) * size > block.count { try flush() }
        let start = blockCount * size
        blockCount += 1
        count += 1
        return UnsafeMutableBufferPointer(rebasing: block[start..<start + size])
    }

    private func flush() throws {
        let masks = block
        let size = maskShape.elementCount
        for start in stride(from: 0, to: blockCount * size, by: max(1, size)) {
            let mask = UnsafeBufferPointer(rebasing: masks[start..<start + size])
            checksums.append(CRC32.checksum(of: UnsafeRawBufferPointer(mask)))
        }
        try array.write(
            masks.span.extracting(first: blockCount * size), rows: count - blockCount..<count)
        blockCount = 0
    }

    /// Writes the last row of A, which is all zero, and what belongs to the samples, and closes the file.
    ///
    /// - Parameter rows: the number of each sample's mask in the order of adding; their count for an unannotated one.
    /// - Throws: `FormatError` with the code `outputExists` or `cannotWrite`.
    func finish(rows: [Int64], datasetFingerprint: String, provenance: String) throws {
        try flush()
        if count < capacity { try shrink() }
        let zeros = Array(repeating: UInt8(0), count: maskShape.elementCount)
        try array.write(zeros.span, rows: count..<count + 1)
        checksums.append(zeros.withUnsafeBytes { CRC32.checksum(of: $0) })
        var content = ContentWriter(file)
        content.note(array)
        try content.write(rows, as: "/row")
        try content.write(checksums, as: "/checksum")
        try content.set("dataset_fingerprint", to: datasetFingerprint)
        try content.set("provenance", to: provenance)
        try content.finish(.masks)
        try file.close()
    }

    /// Copies the masks to a file of their number: room in a contiguous array cannot be given back.
    private func shrink() throws {
        let smaller = try MaskSetFile(
            AtomicOutput(path: output.path, force: output.force), capacity: count, maskShape: maskShape)
        let size = maskShape.elementCount
        let rowsAtATime = block.count / max(1, size)
        for start in stride(from: 0, to: count, by: rowsAtATime) {
            let rows = start..<min(start + rowsAtATime, count)
            let part = UnsafeMutableBufferPointer(rebasing: block[..<(rows.count * size)])
            try array.read(rows: rows, as: UInt8.self, into: part)
            try smaller.array.write(part.span, rows: rows)
        }
        (output, file, array) = (smaller.output, smaller.file, smaller.array)
    }
}
