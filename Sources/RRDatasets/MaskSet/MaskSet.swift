package import RRFormats
public import RRTensor

/// Masks for the samples of one dataset: a 1 says "this pixel is no valid reason".
///
/// Any number of threads may read at once.
public final class MaskSet: Sendable {
    /// The shape `(C, H, W)` of a mask; a C of 1 applies to every channel of an image.
    public let maskShape: ImageShape
    /// The row of `bits` for each sample of the dataset; the last row where a sample is unannotated.
    public let rows: [Int]
    /// M + 1 masks, a row each; the last is all zero.
    public let bits: MaskBits
    /// The fingerprint of the dataset that the masks are for.
    public let datasetFingerprint: String
    /// The number of samples whose mask is not all zero.
    public let annotatedCount: Int
    /// What the file says of the masks' making, as it stands there; nil for masks that were made in memory.
    package let provenance: String?
    /// The file that the masks were read from; nil for masks that were made in memory.
    public let path: String?

    private let isRowZero: [Bool]

    /// The number of samples of the dataset, N.
    public var sampleCount: Int { rows.count }

    /// Creates a mask set in memory.
    ///
    /// - Parameters:
    ///   - bits: M + 1 rows of `maskShape.elementCount` elements; the last row is all zero.
    ///   - rows: the row for each sample of the dataset, M where it is unannotated.
    ///   - maskShape: the shape (C or 1, H, W) of every mask.
    ///   - datasetFingerprint: the fingerprint of the dataset that the masks are for.
    /// - Throws: `DatasetError` with the code `wrongShape`, `rowOutOfRange` or `lastRowNotZero`.
    public convenience init(
        bits: MaskBits, rows: [Int], maskShape: ImageShape, datasetFingerprint: String
    ) throws {
        try self.init(
            bits: bits, rows: rows, maskShape: maskShape, datasetFingerprint: datasetFingerprint,
            path: "masks")
    }

    package init(
        bits: MaskBits, rows: [Int], maskShape: ImageShape, datasetFingerprint: String, path: String,
        isFile: Bool = false, provenance: String? = nil
    ) throws(DatasetError) {
        guard bits.rowCount > 0, bits.elementsPerRow == maskShape.elementCount else {
            throw DatasetError(
                .wrongShape, path: path,
                "\(bits.rowCount) masks of \(bits.elementsPerRow) elements do not make M + 1 masks of \(maskShape)"
            )
        }
        let isRowZero = bits.isRowZero
        guard isRowZero[bits.rowCount - 1] else {
            throw DatasetError(
                .lastRowNotZero, path: "\(path):/A",
                "the last row of A, row \(bits.rowCount - 1), is for unannotated samples and must be all zero"
            )
        }
        if let index = rows.firstIndex(where: { $0 < 0 || $0 >= bits.rowCount }) {
            throw DatasetError(
                .rowOutOfRange, path: "\(path):/row",
                "sample \(index) has row \(rows[index]), but A has the rows 0 to \(bits.rowCount - 1)")
        }
        self.bits = bits
        self.rows = rows
        self.maskShape = maskShape
        self.datasetFingerprint = datasetFingerprint
        self.provenance = provenance
        self.path = isFile ? path : nil
        self.isRowZero = isRowZero
        annotatedCount = rows.count { !isRowZero[$0] }
    }

    /// Tells whether a sample has a mask that is not all zero.
    public func isAnnotated(_ index: Int) -> Bool { !isRowZero[rows[index]] }

    /// The mask of a sample, `(C, H, W)` of 0 and 1, a C of 1 for every channel of the image; nil where the sample is
    /// unannotated.
    ///
    /// - Parameter index: from 0 to `sampleCount` − 1; any other is a programming error.
    public func mask(ofSample index: Int) -> Tensor<UInt8>? {
        guard isAnnotated(index) else { return nil }
        let bytes = [UInt8](unsafeUninitializedCapacity: maskShape.elementCount) { bytes, count in
            bits.expandRow(
                rows[index], into: UnsafeMutableBufferPointer(rebasing: bytes.prefix(maskShape.elementCount)))
            count = maskShape.elementCount
        }
        return try? Tensor(shape: TensorShape(maskShape.dimensions), elements: bytes)
    }

    /// The share of a sample's mask that is 1, from 0, also for an unannotated sample, to 1.
    public func coverage(ofSample index: Int) -> Double {
        Double(bits.count(row: rows[index])) / Double(maskShape.elementCount)
    }

    /// The mean coverage of the annotated samples; 0 where there are none.
    public var meanCoverage: Double {
        guard annotatedCount > 0 else { return 0 }
        return Double(oneCount) / Double(maskShape.elementCount) / Double(annotatedCount)
    }

    /// What is said where the masks mark nothing of a split: that, and how many samples of other splits they do mark.
    package func missingAnnotation(inSplit split: String) -> Message {
        let others = annotatedCount == 0 ? "" : " (\(annotatedCount) other samples are)"
        return "no mask marks a pixel of any sample of the split \(split)\(others)"
    }

    /// Whether a sample has a row of its own in A, be it all zero.
    package func hasRow(_ index: Int) -> Bool { rows[index] != bits.rowCount - 1 }

    /// Checks that the masks are for a dataset.
    ///
    /// - Throws: `DatasetError` with the code `otherDataset` (another N, another fingerprint) or `wrongMaskSize`,
    ///   with both figures.
    public func check(for dataset: Dataset) throws(DatasetError) {
        let match = MaskMatch(
            sampleCount: sampleCount, maskShape: maskShape.dimensions, datasetFingerprint: datasetFingerprint)
        try match.check(for: dataset, path: "masks")
    }

    /// Asks for a sample's mask that is expanded soon.
    package func prefetchMask(ofSample index: Int) { bits.prefetchRow(rows[index]) }

    /// Writes a sample's mask as bytes that are 0 or 1.
    ///
    /// - Parameters:
    ///   - channels: the channels of the image; a mask of one channel is repeated for each.
    ///   - bytes: `channels · H · W` bytes to fill, `(C, H, W)`.
    /// - Returns: whether the mask has a 1; false also for an unannotated sample.
    package func expandMask(
        ofSample index: Int, channels: Int, into bytes: UnsafeMutableBufferPointer<UInt8>
    ) -> Bool {
        precondition(channels == maskShape.channels || maskShape.channels == 1)
        precondition(bytes.count == channels * maskShape.pixelCount)
        let row = rows[index]
        if isRowZero[row] {
            bytes.update(repeating: 0)
            return false
        }
        let size = maskShape.elementCount
        bits.expandRow(row, into: UnsafeMutableBufferPointer(rebasing: bytes.prefix(size)))
        for start in stride(from: size, to: bytes.count, by: size) {
            _ = UnsafeMutableBufferPointer(rebasing: bytes[start..<start + size])
                .update(fromContentsOf: bytes.prefix(size))
        }
        return true
    }
}

extension MaskSet {
    /// Computes a name for the content, of 64 hexadecimal digits.
    ///
    /// SHA-256 over: C, H and W as int64; `/row` as int64; the rows of A, the last one too, each as one bit an element,
    /// lowest bit first, and zeros up to a multiple of 64 bits. Numbers are little-endian.
    package func fingerprint() -> String {
        var hasher = SHA256Hasher()
        maskShape.dimensions.map { Int64($0).littleEndian }.withUnsafeBytes { hasher.update($0) }
        rows.map { Int64($0).littleEndian }.withUnsafeBytes { hasher.update($0) }
        bits.withWords { hasher.update(UnsafeRawBufferPointer($0)) }
        return hasher.finalize()
    }
}

extension MaskSet {
    /// Opens a mask set file for a dataset.
    ///
    /// - Throws: `FormatError` where the file is not there or is no sound HDF5; `DatasetError` where it is no mask
    ///   set, breaks its rules (`nonBinaryMask`, `rowOutOfRange`, `lastRowNotZero`, …) or is for another dataset
    ///   (`otherDataset`, `wrongMaskSize`).
    public convenience init(path: String, for dataset: Dataset) throws {
        try self.init(path: path, for: dataset, keeping: nil)
    }

    /// Opens a mask set file and reads the masks of some samples alone, as a picture of a few of many needs them.
    ///
    /// All other samples are unannotated here, whatever the file says.
    ///
    /// - Parameter samples: rows of the dataset; nil for all.
    /// - Throws: as `init(path:for:)`, but that damage to other masks is not found.
    package convenience init(path: String, for dataset: Dataset, keeping samples: [Int]?) throws {
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
        var rows = try reader.list("/row", count: dataset.sampleCount, as: Int64.self).map { Int($0) }
        let shape = try ImageShape(channels: masks.shape[1], height: masks.shape[2], width: masks.shape[3])
        let checksums = try reader.maskChecksums(count: masks.shape[0])
        let bits: MaskBits
        if let samples {
            let kept = try KeptMasks(samples, of: rows, rowCount: masks.shape[0], path: path)
            bits = try kept.bits(of: HDF5Array(masks), checksums: checksums, shape: shape, path: path)
            rows = kept.rows
        } else {
            bits = try Self.bits(of: HDF5Array(masks), checksums: checksums, shape: shape, path: path)
        }
        try self.init(
            bits: bits, rows: rows, maskShape: shape,
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
                    throw MaskRows.nonBinary(mask[place], row: row, place: place, shape: shape, path: path)
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
