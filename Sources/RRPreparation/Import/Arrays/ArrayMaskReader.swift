internal import RRDatasets
internal import RRFormats
internal import RRTensor

/// Reads an array of masks: 0 and 1 or 0 and 255 throughout, or as options say.
struct ArrayMaskReader {
    /// Which elements of the array are 1.
    enum Rule: Hashable {
        /// Those that are 1, or 255 throughout; any other value but 0 is an error.
        case binary
        /// Those that have one of these values.
        case values([Int])
        /// Those that are not below.
        case threshold(Double)
    }

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
    var rule: Rule = .binary
    var marks: MaskMarks = .wrong
    var empty: EmptyMasks = .unannotated

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
        // The one value beside 0, once it was met.
        var mark: Element?
        try array.forEachBlock { rows, bytes in
            let block = bytes.assumingMemoryBound(to: type)
            for row in rows {
                guard let sample = samples.ofRows[row] else { continue }
                let start = (row - rows.lowerBound) * size
                let elements = UnsafeBufferPointer(rebasing: block[start..<start + size])
                try binarize(elements, into: stored, row: row, mark: &mark)
                reading.rearrange(UnsafeBufferPointer(stored), into: mask) { $0 }
                try body(sample, mask)
            }
        }
    }

    private func binarize<Element: MaskElement>(
        _ elements: UnsafeBufferPointer<Element>, into mask: UnsafeMutableBufferPointer<UInt8>, row: Int,
        mark: inout Element?
    ) throws(DatasetError) {
        switch rule {
        case .binary:
            for position in elements.indices {
                let value = elements[position]
                mask[position] = value == 0 ? 0 : 1
                guard value != 0, value != mark else { continue }
                if mark == nil, value == 1 || value.number == 255 { mark = value }
                guard value == mark else {
                    throw DatasetError(
                        .nonBinaryMask, path: array.location,
                        "row \(row) has the value \(value); masks hold only 0 and 1, or only 0 and 255. Say which "
                            + "values count with \(option: .maskValues) or \(option: .maskThreshold)")
                }
            }
        case .values(let values):
            let wanted = Set(values.map { Double($0) })
            for position in elements.indices {
                mask[position] = wanted.contains(elements[position].number) ? 1 : 0
            }
        case .threshold(let threshold):
            for position in elements.indices {
                mask[position] = elements[position].number >= threshold ? 1 : 0
            }
        }
    }
}

/// A number that an element of a mask may be.
private protocol MaskElement: BitwiseCopyable, Equatable, ExpressibleByIntegerLiteral {
    var number: Double { get }
}

extension UInt8: MaskElement { fileprivate var number: Double { Double(self) } }
extension Int8: MaskElement { fileprivate var number: Double { Double(self) } }
extension UInt16: MaskElement { fileprivate var number: Double { Double(self) } }
extension Int16: MaskElement { fileprivate var number: Double { Double(self) } }
extension UInt32: MaskElement { fileprivate var number: Double { Double(self) } }
extension Int32: MaskElement { fileprivate var number: Double { Double(self) } }
extension UInt64: MaskElement { fileprivate var number: Double { Double(self) } }
extension Int64: MaskElement { fileprivate var number: Double { Double(self) } }
extension Float16: MaskElement { fileprivate var number: Double { Double(self) } }
extension Float: MaskElement { fileprivate var number: Double { Double(self) } }
extension Double: MaskElement { fileprivate var number: Double { self } }
