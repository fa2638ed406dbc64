internal import RRFormats
internal import RRTensor

/// Reads the masks of a mask set file on all processor cores: a stream's first batch waits for them.
struct MaskReading {
    /// `/A`, (M + 1, C or 1, H, W), uint8, whose size has been checked.
    let array: HDF5Array
    let shape: ImageShape
    let path: String

    /// The bytes that a thread reads at a time: few enough to stay in its core's cache.
    private static let pieceSize = 256 << 10

    /// - Throws: `DatasetError` with the code `nonBinaryMask`, which names the first element that is neither 0 nor 1;
    ///   `FormatError` where the file is damaged.
    func bits() throws -> MaskBits {
        let rowCount = array.shape[0]
        let size = shape.elementCount
        let rowsPerPiece = max(array.rowsPerBlock, Self.pieceSize / max(1, size))
        var bits = try MaskBits(rowCount: rowCount, elementsPerRow: size)
        try bits.withRowWriter { writer in
            try Workers().run(parts: 0..<(rowCount - 1) / rowsPerPiece + 1) {
                Reader(reader: HDF5RowReader(array), capacity: min(rowCount, rowsPerPiece) * size)
            } _: { reader, piece in
                let first = piece * rowsPerPiece
                try reader.forEachRow(of: first..<min(first + rowsPerPiece, rowCount), size: size) {
                    row, bytes in
                    guard writer.setRow(row, from: bytes) > 1 else { return }
                    try checkBinary(bytes, row: row)
                }
            }
        }
        return bits
    }

    private func checkBinary(_ bytes: UnsafeBufferPointer<UInt8>, row: Int) throws(DatasetError) {
        guard let place = MaskRows.firstNonBinary(in: bytes) else { return }
        throw DatasetError(
            .nonBinaryMask, path: "\(path):/A",
            "\(MaskRows.describe(row: row, place: place, shape: shape.dimensions)) is \(bytes[place]); masks hold 0 "
                + "and 1 only")
    }

    /// One thread's way to the masks.
    private final class Reader {
        private let reader: HDF5RowReader
        private let buffer: UnsafeMutableBufferPointer<UInt8>

        init(reader: HDF5RowReader, capacity: Int) {
            self.reader = reader
            buffer = .allocate(capacity: capacity)
        }

        deinit { buffer.deallocate() }

        func forEachRow(
            of rows: Range<Int>, size: Int, _ body: (Int, UnsafeBufferPointer<UInt8>) throws -> Void
        ) throws {
            let bytes = UnsafeMutableBufferPointer(rebasing: buffer.prefix(rows.count * size))
            try reader.read(rows: rows, into: UnsafeMutableRawBufferPointer(bytes))
            for row in rows {
                let start = (row - rows.lowerBound) * size
                try body(row, UnsafeBufferPointer(rebasing: bytes[start..<start + size]))
            }
        }
    }
}
