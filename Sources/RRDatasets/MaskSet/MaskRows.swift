package import RRFormats
internal import RRTensor

/// The rows of an array of masks, read some megabytes at a time.
package struct MaskRows {
    private let array: HDF5Dataset
    private let rowSize: Int

    /// - Parameter array: masks with at least one dimension, whose size has been checked.
    package init(_ array: HDF5Dataset) {
        self.array = array
        rowSize = array.elementsPerRow
    }

    /// Calls a body with the bytes of each row in turn.
    package func forEach(_ body: (Int, UnsafeBufferPointer<UInt8>) throws -> Void) throws {
        let rowsAtATime = max(1, (4 << 20) / max(1, rowSize))
        let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: rowsAtATime * rowSize)
        defer { buffer.deallocate() }
        var first = 0
        while first < array.shape[0] {
            let rows = first..<min(first + rowsAtATime, array.shape[0])
            try array.read(
                rows: rows, as: UInt8.self,
                into: UnsafeMutableBufferPointer(rebasing: buffer.prefix(rows.count * rowSize)))
            for row in rows {
                let start = (row - first) * rowSize
                try body(row, UnsafeBufferPointer(rebasing: buffer[start..<start + rowSize]))
            }
            first = rows.upperBound
        }
    }

    /// Checks the bytes of a row of A.
    ///
    /// - Throws: `DatasetError` with the code `checksumMismatch`.
    static func check(
        _ bytes: UnsafeRawBufferPointer, row: Int, stored: UInt32, path: String
    ) throws(DatasetError) {
        let found = CRC32.checksum(of: bytes)
        guard found != stored else { return }
        throw DatasetError(
            .checksumMismatch, path: "\(path):/A",
            "row \(row) is corrupt: its bytes have the checksum \(found), but \(stored) was stored. Import the masks "
                + "anew")
    }

    /// The error for an element of A that is neither 0 nor 1.
    static func nonBinary(
        _ value: UInt8, row: Int, place: Int, shape: ImageShape, path: String
    ) -> DatasetError {
        DatasetError(
            .nonBinaryMask, path: "\(path):/A",
            "\(describe(row: row, place: place, shape: shape.dimensions)) is \(value); masks hold 0 and 1 only"
        )
    }

    /// The place of the first byte that is neither 0 nor 1.
    package static func firstNonBinary(in bytes: UnsafeBufferPointer<UInt8>) -> Int? {
        var union: UInt8 = 0
        for byte in bytes { union |= byte }
        guard union > 1 else { return nil }
        return bytes.firstIndex { $0 > 1 }
    }

    /// `A[3, 0, 12, 7]` for a place in a row of masks of the shape `(C, H, W)`.
    package static func describe(row: Int, place: Int, shape: [Int]) -> String {
        var rest = place
        var position: [Int] = []
        for extent in shape.reversed() {
            position.insert(rest % max(1, extent), at: 0)
            rest /= max(1, extent)
        }
        return "A[" + ([row] + position).map(String.init).joined(separator: ", ") + "]"
    }
}
