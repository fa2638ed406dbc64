package import RRFormats
package import RRSchemas
package import RRTensor

/// Writes mask set files; the same masks make the same bytes.
package enum MaskSetWriter {
    /// Writes a mask set.
    ///
    /// - Parameters:
    ///   - bits: M + 1 rows of `maskShape.elementCount` elements; the last row is all zero.
    ///   - rows: the row for each sample of the dataset, M where it is unannotated.
    ///   - maskShape: `(C or 1, H, W)`.
    ///   - provenance: how the masks were made, an object.
    /// - Throws: `DatasetError` as `MaskSet.init(bits:rows:maskShape:datasetFingerprint:)`; `FormatError` with the
    ///   code `outputExists` or `cannotWrite`.
    package static func write(
        bits: MaskBits, rows: [Int], maskShape: ImageShape, datasetFingerprint: String, provenance: JSONValue,
        path: String, force: Bool
    ) throws {
        let masks = try MaskSet(
            bits: bits, rows: rows, maskShape: maskShape, datasetFingerprint: datasetFingerprint, path: path)
        try write(masks, provenance: provenance, path: path, force: force)
    }

    /// Writes a mask set that is in memory.
    ///
    /// - Throws: `FormatError` with the code `outputExists` or `cannotWrite`.
    package static func write(_ masks: MaskSet, provenance: JSONValue, path: String, force: Bool) throws {
        let output = try AtomicOutput(path: path, force: force)
        try write(masks, provenance: provenance, to: output)
        try output.commit()
    }

    /// Writes a mask set to an output that the caller commits, so that it appears together with another.
    ///
    /// - Throws: `FormatError` with the code `cannotWrite`.
    package static func write(_ masks: MaskSet, provenance: JSONValue, to output: AtomicOutput) throws {
        try write(masks, provenanceText: provenance.serialized(), to: output)
    }

    /// Writes a mask set whose provenance is text already.
    ///
    /// - Throws: `FormatError` with the code `cannotWrite`.
    package static func write(_ masks: MaskSet, provenanceText: String, to output: AtomicOutput) throws {
        let file = try HDF5File(creating: output)
        try write(masks.bits, shape: masks.maskShape, to: file)
        try writeRest(
            rows: masks.rows.map { Int64($0) }, datasetFingerprint: masks.datasetFingerprint,
            provenanceText: provenanceText, to: file)
    }

    /// Writes what a mask set file has beside A, and closes it.
    static func writeRest(
        rows: [Int64], datasetFingerprint: String, provenanceText: String, to file: HDF5File
    ) throws {
        let rowList = try file.createDataset("/row", type: .int64, shape: TensorShape([rows.count]))
        try rows.withUnsafeBufferPointer { rows in
            Result { try rowList.write(rows, rows: 0..<rows.count) }
        }.get()
        try file.setAttribute("format", to: .string(FileFormat.masks.rawValue))
        try file.setAttribute("format_version", to: .string(FileFormat.version))
        try file.setAttribute("creator", to: .string(Dataset.creator))
        try file.setAttribute("dataset_fingerprint", to: .string(datasetFingerprint))
        try file.setAttribute("provenance", to: .string(provenanceText))
        try file.close()
    }

    private static func write(_ bits: MaskBits, shape: ImageShape, to file: HDF5File) throws {
        let size = shape.elementCount
        let array = try file.createDataset(
            "/A", type: .uint8, shape: TensorShape([bits.rowCount] + shape.dimensions))
        let rowsAtATime = max(1, (4 << 20) / max(1, size))
        let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: rowsAtATime * size)
        defer { buffer.deallocate() }
        var first = 0
        while first < bits.rowCount {
            let rows = first..<min(first + rowsAtATime, bits.rowCount)
            for row in rows {
                let start = (row - first) * size
                bits.expandRow(row, into: UnsafeMutableBufferPointer(rebasing: buffer[start..<start + size]))
            }
            try array.write(UnsafeBufferPointer(rebasing: buffer.prefix(rows.count * size)), rows: rows)
            first = rows.upperBound
        }
    }
}
