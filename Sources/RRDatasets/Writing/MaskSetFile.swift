internal import RRFormats
internal import RRSchemas
internal import RRTensor

/// A mask set file that is written mask by mask, so that memory does not grow with their number.
final class MaskSetFile {
    private var output: AtomicOutput
    private var file: HDF5File
    private var array: HDF5Dataset
    private let force: Bool
    private let capacity: Int
    private let maskShape: ImageShape
    private var block: [UInt8] = []
    /// The masks that were added.
    private var count = 0

    private static let blockSize = 4 << 20

    /// Starts a file with room for masks.
    ///
    /// - Parameters:
    ///   - capacity: the most masks that will be added.
    ///   - maskShape: `(C or 1, H, W)`.
    /// - Throws: `FormatError` with the code `outputExists` or `cannotWrite`; `TensorError` where the masks have more
    ///   elements than memory can address.
    init(path: String, force: Bool, capacity: Int, maskShape: ImageShape) throws {
        self.force = force
        self.capacity = capacity
        self.maskShape = maskShape
        let output = try AtomicOutput(path: path, force: force)
        self.output = output
        file = try output.whilePending { path throws(FormatError) in
            try HDF5File(creating: path, path: output.path)
        }
        array = try file.createDataset(
            "/A", type: .uint8, shape: TensorShape([capacity + 1] + maskShape.dimensions))
    }

    /// Adds a mask as the next row of A.
    ///
    /// - Parameter mask: `maskShape.elementCount` bytes that are 0 or 1.
    /// - Throws: `FormatError` with the code `cannotWrite`.
    func append(_ mask: UnsafeBufferPointer<UInt8>) throws {
        precondition(mask.count == maskShape.elementCount && count < capacity)
        block += mask
        count += 1
        if block.count >= Self.blockSize { try flush() }
    }

    private func flush() throws {
        let rows = count - block.count / maskShape.elementCount..<count
        var masks: [UInt8] = []
        swap(&masks, &block)
        try array.write(masks.span, rows: rows)
        masks.removeAll(keepingCapacity: true)
        swap(&masks, &block)
    }

    /// Writes the last row, which is all zero, and what belongs to the samples, and puts the file in its place.
    ///
    /// - Parameter rows: the number of each sample's mask in the order of adding; their count for an unannotated one.
    /// - Throws: `FormatError` with the code `outputExists` or `cannotWrite`.
    func finish(rows: [Int64], datasetFingerprint: String, provenance: JSONValue) throws {
        try flush()
        if count < capacity { try shrink() }
        let zeros = Array(repeating: UInt8(0), count: maskShape.elementCount)
        try array.write(zeros.span, rows: count..<count + 1)
        try MaskSetWriter.writeRest(
            rows: rows, datasetFingerprint: datasetFingerprint, provenanceText: provenance.serialized(),
            to: file)
        try output.commit()
    }

    /// Copies the masks to a file of their number: room in a contiguous array cannot be given back.
    private func shrink() throws {
        let smaller = try MaskSetFile(path: output.path, force: force, capacity: count, maskShape: maskShape)
        let size = maskShape.elementCount
        let rowsAtATime = max(1, Self.blockSize / size)
        var bytes = Array(repeating: UInt8(0), count: min(rowsAtATime, count) * size)
        for start in stride(from: 0, to: count, by: rowsAtATime) {
            let rows = start..<min(start + rowsAtATime, count)
            let result = bytes.withUnsafeMutableBufferPointer { bytes in
                Result {
                    let part = UnsafeMutableBufferPointer(rebasing: bytes[..<(rows.count * size)])
                    try array.read(rows: rows, as: UInt8.self, into: part)
                    try smaller.array.write(part.span, rows: rows)
                }
            }
            try result.get()
        }
        (output, file, array) = (smaller.output, smaller.file, smaller.array)
    }
}
