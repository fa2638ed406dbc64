internal import RRDatasets
internal import RRFormats
internal import RRTensor

/// Reads an array of masks: 0 and 1 or 0 and 255 throughout, or as options say.
struct ArrayMaskReader {
    /// Masks as a mask set holds them.
    struct Masks {
        /// A row for each annotated sample, and a last one of zeros.
        let bits: MaskBits
        /// The row of `bits` for each sample.
        let rows: [Int]
        let shape: ImageShape
        /// The number of masks that mark nothing.
        let emptyCount: Int
        /// The mean share of an annotated sample's elements that are 1; 0 where none is annotated.
        let meanShare: Double
    }

    let array: any ArraySource
    let reading: ArrayArrangement
    var rule: MaskPixelRule = .binary
    var marks: MaskMarks = .wrong
    var empty: EmptyMasks = .unannotated
    var adjustment = MaskAdjustment()

    /// Reads the masks of a dataset's samples.
    ///
    /// - Throws: `DatasetError` with the code `wrongType` or `nonBinaryMask`; `FormatError`.
    func read(_ samples: MaskedSamples, sampleCount: Int) throws -> Masks {
        let builder = try MaskSetBuilder(
            maskShape: reading.imageShape, sampleCount: sampleCount, marks: marks, empty: empty)
        try forEachMask(samples) { sample, mask in try builder.add(mask, for: sample) }
        let (bits, rows) = try builder.finish()
        return Masks(
            bits: bits, rows: rows, shape: reading.imageShape, emptyCount: builder.emptyCount,
            meanShare: builder.meanShare)
    }

    /// Calls a body with the sample and the mask of each row that is for one, in the order of the array.
    ///
    /// The mask is `(C, H, W)`, bytes that are 0 or 1; the body may change them.
    ///
    /// - Throws: as `read`, and what `body` throws.
    func forEachMask(
        _ samples: MaskedSamples, _ body: (Int, UnsafeMutableBufferPointer<UInt8>) throws -> Void
    ) throws {
        switch array.elementType {
        case .uint8, .bool: try forEachMask(samples, as: UInt8.self, body)
        case .int8: try forEachMask(samples, as: Int8.self, body)
        case .uint16: try forEachMask(samples, as: UInt16.self, body)
        case .int16: try forEachMask(samples, as: Int16.self, body)
        case .uint32: try forEachMask(samples, as: UInt32.self, body)
        case .int32: try forEachMask(samples, as: Int32.self, body)
        case .uint64: try forEachMask(samples, as: UInt64.self, body)
        case .int64: try forEachMask(samples, as: Int64.self, body)
        case .float16: try forEachMask(samples, as: Float16.self, body)
        case .float32: try forEachMask(samples, as: Float.self, body)
        case .float64: try forEachMask(samples, as: Double.self, body)
        case .text, .other:
            throw DatasetError(
                .wrongType, path: array.location, "the elements are no numbers but \(array.elementType)")
        }
    }

    private func forEachMask<Element: MaskElement>(
        _ samples: MaskedSamples, as type: Element.Type,
        _ body: (Int, UnsafeMutableBufferPointer<UInt8>) throws -> Void
    ) throws {
        let size = reading.imageShape.elementCount
        let stored = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: size)
        let mask = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: size)
        defer {
            stored.deallocate()
            mask.deallocate()
        }
        // All masks of an array have the same value beside 0.
        var mark: Element?
        try array.forEachBlock { rows, bytes in
            let block = bytes.assumingMemoryBound(to: type)
            for row in rows {
                guard let sample = samples.ofRows[row] else { continue }
                let start = (row - rows.lowerBound) * size
                let elements = UnsafeBufferPointer(rebasing: block[start..<start + size])
                if let wrong = rule.firstUnmarkable(elements, largest: 255, mark: &mark, into: stored) {
                    throw DatasetError(
                        .nonBinaryMask, path: array.location,
                        "row \(row) has the value \(elements[wrong]); masks hold only 0 and 1, or only 0 and 255. Say "
                            + "which values count with \(option: .maskValues) or \(option: .maskThreshold)")
                }
                reading.rearrange(UnsafeBufferPointer(stored), into: mask) { $0 }
                if adjustment.inverts { MaskAdjustment.invert(mask) }
                adjustment.resize(mask, height: reading.imageShape.height, width: reading.imageShape.width)
                try body(sample, mask)
            }
        }
    }
}
