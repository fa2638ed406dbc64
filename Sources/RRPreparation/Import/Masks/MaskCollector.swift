internal import RRDatasets
internal import RRTensor

/// Gathers binary masks into the rows of a mask set.
struct MaskCollector {
    private let marks: MaskMarks
    private let empty: EmptyMasks
    private var bits: MaskBits
    private var rows: [Int]
    private(set) var annotatedCount = 0
    /// The number of masks that were supplied and mask nothing.
    private(set) var emptyCount = 0
    private var shares = 0.0

    /// - Parameter capacity: the most masks that there may be.
    init(
        capacity: Int, sampleCount: Int, maskSize: Int, marks: MaskMarks,
        empty: EmptyMasks
    ) throws(TensorError) {
        self.marks = marks
        self.empty = empty
        bits = try MaskBits(rowCount: capacity + 1, elementsPerRow: maskSize)
        rows = Array(repeating: -1, count: sampleCount)
    }

    /// Takes a sample's mask, inverting it where the marks are of right regions.
    ///
    /// - Parameter mask: bytes that are 0 or 1; they are used up.
    mutating func add(_ mask: UnsafeMutableBufferPointer<UInt8>, for sample: Int) {
        var ones = Self.count(mask)
        // A mask without a 1 says nothing, unless the user says that it does; then all of it is inverted.
        if empty == .unannotated, ones == 0 {
            emptyCount += 1
            return
        }
        if marks == .right {
            for position in mask.indices { mask[position] ^= 1 }
            ones = mask.count - ones
        }
        if ones == 0 {
            emptyCount += 1
            if empty == .unannotated { return }
        }
        bits.setRow(annotatedCount, from: UnsafeBufferPointer(mask))
        rows[sample] = annotatedCount
        annotatedCount += 1
        shares += Double(ones) / Double(mask.count)
    }

    private static func count(_ mask: UnsafeMutableBufferPointer<UInt8>) -> Int {
        var sum = 0
        for byte in mask { sum += Int(byte) }
        return sum
    }

    /// The mean share of an annotated sample's elements that are 1; 0 where none is annotated.
    var meanShare: Double { annotatedCount == 0 ? 0 : shares / Double(annotatedCount) }

    /// The rows that were taken with one of zeros after them, and the row of each sample.
    consuming func finish() -> (bits: MaskBits, rows: [Int]) {
        // Nothing was written into the last row.
        bits.truncate(toRowCount: annotatedCount + 1)
        let last = annotatedCount
        return (bits, rows.map { $0 < 0 ? last : $0 })
    }
}
