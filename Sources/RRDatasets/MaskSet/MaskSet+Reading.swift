internal import RRFormats
internal import RRTensor

extension MaskSet {
    /// Opens a mask set file for a dataset.
    ///
    /// - Throws: `FormatError` where the file is not there or is no sound HDF5; `DatasetError` where it is no mask
    ///   set, breaks its rules (`nonBinaryMask`, `rowOutOfRange`, `lastRowNotZero`, …) or is for another dataset
    ///   (`otherDataset`, `wrongMaskSize`).
    public convenience init(path: String, for dataset: Dataset) throws {
        let file = try HDF5File(reading: path)
        try FileFormat.masks.check(file)
        try ContentDigests(of: file)?.check(file)
        let reader = DatasetReader(file: file)
        let masks = try reader.masks()
        let rowList = try reader.require("/row")
        guard rowList.shape.rank == 1 else {
            throw DatasetError(
                .wrongShape, path: "\(path):/row", "the shape is \(rowList.shape), where (N) is needed")
        }
        // A mismatch is told before gigabytes of masks are read.
        let match = MaskMatch(
            sampleCount: rowList.shape[0], maskShape: Array(masks.shape.dimensions.dropFirst()),
            datasetFingerprint: reader.file.text("dataset_fingerprint"))
        try match.check(for: dataset, path: path)
        let fingerprint = try reader.string("dataset_fingerprint")
        let rows = try reader.list("/row", count: dataset.sampleCount, as: Int64.self).map { Int($0) }
        let shape = try ImageShape(channels: masks.shape[1], height: masks.shape[2], width: masks.shape[3])
        try self.init(
            bits: Self.bits(
                of: HDF5Array(masks), checksums: reader.maskChecksums(count: masks.shape[0]), shape: shape,
                path: path),
            rows: rows, maskShape: shape,
            datasetFingerprint: fingerprint, path: path,
            isFile: true,
            provenance: reader.file.text("provenance"))
    }

    /// The bytes that a thread reads at a time: few enough to stay in its core's cache.
    private static let pieceSize = 256 << 10

    /// Reads the masks on all processor cores: a stream's first batch waits for them.
    ///
    /// - Parameters:
    ///   - array: `/A`, (M + 1, C or 1, H, W), uint8, whose size has been checked.
    ///   - checksums: the CRC-32 of each row; nil where the file has none.
    ///   - shape: that of a mask.
    /// - Throws: `DatasetError` with the code `checksumMismatch`, which names the row, or `nonBinaryMask`, which names the
    ///   first element that is neither 0 nor 1; `FormatError` where the file is damaged.
    private static func bits(
        of array: HDF5Array, checksums: [UInt32]?, shape: ImageShape, path: String
    ) throws -> MaskBits {
        let rowCount = array.shape[0]
        let size = shape.elementCount
        let rowsPerPiece = max(array.rowsPerBlock, pieceSize / max(1, size))
        var bits = try MaskBits(rowCount: rowCount, elementsPerRow: size)
        try bits.withRowWriter { writer in
            try Workers().run(parts: 0..<(rowCount - 1) / rowsPerPiece + 1) {
                PieceReader(array, capacity: min(rowCount, rowsPerPiece) * size)
            } _: { piece, number in
                let rows = number * rowsPerPiece..<min((number + 1) * rowsPerPiece, rowCount)
                let bytes = UnsafeMutableBufferPointer(rebasing: piece.memory.prefix(rows.count * size))
                try piece.reader.read(rows: rows, into: UnsafeMutableRawBufferPointer(bytes))
                for row in rows {
                    let start = (row - rows.lowerBound) * size
                    let mask = UnsafeBufferPointer(rebasing: bytes[start..<start + size])
                    if let stored = checksums?[row] {
                        try MaskRows.check(UnsafeRawBufferPointer(mask), row: row, stored: stored, path: path)
                    }
                    guard writer.setRow(row, from: mask) > 1, let place = MaskRows.firstNonBinary(in: mask)
                    else { continue }
                    throw DatasetError(
                        .nonBinaryMask, path: "\(path):/A",
                        "\(MaskRows.describe(row: row, place: place, shape: shape.dimensions)) is \(mask[place]); masks "
                            + "hold 0 and 1 only")
                }
            }
        }
        return bits
    }

    /// One thread's way to the masks, and the memory of the rows that it reads at a time.
    private final class PieceReader {
        let reader: HDF5RowReader
        let memory: UnsafeMutableBufferPointer<UInt8>

        init(_ array: HDF5Array, capacity: Int) {
            reader = HDF5RowReader(array)
            memory = .allocate(capacity: capacity)
        }

        deinit { memory.deallocate() }
    }
}

extension DatasetReader {
    /// `/A`, of four dimensions and uint8.
    fileprivate func masks() throws -> HDF5Dataset {
        let masks = try require("/A")
        guard masks.shape.rank == 4, masks.shape.elementCount > 0 else {
            throw DatasetError(
                .wrongShape, path: "\(file.path):/A",
                "the shape is \(masks.shape), where (M+1, C or 1, H, W) is needed")
        }
        guard masks.elementType == .uint8 else {
            throw DatasetError(
                .wrongType, path: "\(file.path):/A", "the type is \(masks.elementType), where uint8 is needed"
            )
        }
        try masks.checkSize()
        return masks
    }

    /// The CRC-32 of each row of A; nil for a file that was written before there were any.
    fileprivate func maskChecksums(count: Int) throws -> [UInt32]? {
        file.exists("/checksum") ? try list("/checksum", count: count, as: UInt32.self) : nil
    }
}
