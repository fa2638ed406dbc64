internal import RRFormats
internal import RRTensor

/// The masks of some samples, and a last one of zeros for all others.
struct KeptMasks {
    /// The row of the kept masks for each sample of the dataset.
    let rows: [Int]
    /// The rows of the file that are kept, ascending.
    private let fileRows: [Int]

    /// - Parameters:
    ///   - samples: rows of the dataset.
    ///   - rows: the row of the file's masks for each sample.
    ///   - rowCount: the masks of the file, the last one included.
    /// - Throws: `DatasetError` with the code `rowOutOfRange`.
    init(_ samples: [Int], of rows: [Int], rowCount: Int, path: String) throws(DatasetError) {
        for sample in samples where !(0..<rowCount ~= rows[sample]) {
            throw DatasetError(
                .rowOutOfRange, path: "\(path):/row",
                "sample \(sample) has row \(rows[sample]), but A has the rows 0 to \(rowCount - 1)")
        }
        fileRows = Set(samples.map { rows[$0] }).subtracting([rowCount - 1]).sorted()
        let places = Dictionary(uniqueKeysWithValues: fileRows.enumerated().map { ($1, $0) })
        var kept = Array(repeating: fileRows.count, count: rows.count)
        for sample in samples { kept[sample] = places[rows[sample]] ?? fileRows.count }
        self.rows = kept
    }

    /// Reads the masks.
    ///
    /// - Parameters:
    ///   - array: `/A`, (M + 1, C or 1, H, W), uint8, whose size has been checked.
    ///   - checksums: the CRC-32 of each row; nil where the file has none.
    /// - Throws: `DatasetError` with the code `checksumMismatch` or `nonBinaryMask`; `FormatError` where the file is damaged.
    func bits(of array: HDF5Array, checksums: [UInt32]?, shape: ImageShape, path: String) throws -> MaskBits {
        var bits = try MaskBits(rowCount: fileRows.count + 1, elementsPerRow: shape.elementCount)
        let reader = HDF5RowReader(array)
        let mask = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: shape.elementCount)
        defer { mask.deallocate() }
        for (place, row) in fileRows.enumerated() {
            try reader.read(rows: row..<row + 1, into: UnsafeMutableRawBufferPointer(mask))
            if let stored = checksums?[row] {
                try MaskRows.check(UnsafeRawBufferPointer(mask), row: row, stored: stored, path: path)
            }
            for element in mask.indices where mask[element] != 0 {
                guard mask[element] == 1 else {
                    throw MaskRows.nonBinary(
                        mask[element], row: row, place: element, shape: shape, path: path)
                }
                bits[place, element] = true
            }
        }
        return bits
    }
}
