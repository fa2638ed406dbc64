internal import RRFormats
internal import RRTensor

/// Reads an array of masks, one for each image, from an HDF5 file: 0 and 1, or 0 and 255 throughout.
struct HDF5MaskReader {
    /// Masks as a mask set holds them.
    struct Masks {
        let bits: MaskBits
        let rows: [Int]
        let shape: ImageShape
        let reading: ArrayReading
        /// The mean share of an annotated sample's elements that are 1; 0 where none is annotated.
        let meanShare: Double
    }

    let dataset: HDF5Dataset
    let layout: ArrayLayout?
    let marks: HDF5Import.Marks
    let images: ArrayReading
    /// The number of images.
    let count: Int

    /// Reads the array twice: to find out which samples have a mask, then to keep those.
    ///
    /// - Throws: `DatasetError` with the code `wrongShape`, `wrongMaskSize`, `invalidOption`, `ambiguousLayout`,
    ///   `wrongType` or `nonBinaryMask`; `FormatError`.
    func read() throws -> Masks {
        let reading = try ArrayReading.ofMasks(
            dataset.shape, layout: layout, images: images, at: dataset.location)
        guard dataset.shape[0] == count else {
            throw DatasetError(
                .wrongShape, path: dataset.location,
                "there are \(dataset.shape[0]) masks for \(count) images; each image needs a row, all zero where it "
                    + "has no mask")
        }
        switch dataset.elementType.kind {
        case .uint8, .bool: return try read(reading, as: UInt8.self)
        case .uint64: return try read(reading, as: UInt64.self)
        case .int8, .int16, .int32, .int64, .uint16, .uint32: return try read(reading, as: Int64.self)
        case .float16, .float32, .float64: return try read(reading, as: Double.self)
        case .fixedString, .variableString, .other:
            throw DatasetError(
                .wrongType, path: dataset.location, "the elements are no numbers but \(dataset.elementType)")
        }
    }

    private func read<Element: HDF5Element>(_ reading: ArrayReading, as type: Element.Type) throws -> Masks {
        let size = reading.imageShape.elementCount
        var rows = Array(repeating: 0, count: count)
        var annotatedCount = 0
        var share = 0.0
        // The one value beside 0, once it was met.
        var mark: Element?
        try dataset.forEachBlock(as: type) { blockRows, block in
            for row in blockRows {
                let start = (row - blockRows.lowerBound) * size
                let ones = try countMarks(
                    UnsafeBufferPointer(rebasing: block[start..<start + size]), row: row, mark: &mark)
                let masked = marks == .right ? size - ones : ones
                // A mask without a 1 was not supplied, whatever its ones would have marked.
                rows[row] = ones == 0 || masked == 0 ? -1 : annotatedCount
                if rows[row] >= 0 {
                    annotatedCount += 1
                    share += Double(masked) / Double(size)
                }
            }
        }
        var bits = try MaskBits(rowCount: annotatedCount + 1, elementsPerRow: size)
        let mask = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: size)
        defer { mask.deallocate() }
        try dataset.forEachBlock(as: type) { blockRows, block in
            for row in blockRows where rows[row] >= 0 {
                let start = (row - blockRows.lowerBound) * size
                let stored = UnsafeBufferPointer(rebasing: block[start..<start + size])
                let one: UInt8 = marks == .right ? 0 : 1
                reading.rearrange(stored, into: mask) { $0 == 0 ? 1 - one : one }
                bits.setRow(rows[row], from: UnsafeBufferPointer(mask))
            }
        }
        return Masks(
            bits: bits, rows: rows.map { $0 < 0 ? annotatedCount : $0 }, shape: reading.imageShape,
            reading: reading,
            meanShare: annotatedCount == 0 ? 0 : share / Double(annotatedCount))
    }

    private func countMarks<Element: HDF5Element>(
        _ mask: UnsafeBufferPointer<Element>, row: Int, mark: inout Element?
    ) throws(DatasetError) -> Int {
        var marks = 0
        for value in mask where value != 0 {
            if mark == nil, value == 1 || value == 255 { mark = value }
            guard value == mark else {
                throw DatasetError(
                    .nonBinaryMask, path: dataset.location,
                    "row \(row) has the value \(value); masks hold only 0 and 1, or only 0 and 255")
            }
            marks += 1
        }
        return marks
    }
}
