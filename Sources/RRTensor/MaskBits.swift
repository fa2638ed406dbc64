internal import CStoredElements

/// Rows of binary elements, one bit an element; a set bit says "this pixel is no valid reason".
///
/// Every row starts on a word of its own, so rows can be written by different threads.
public struct MaskBits: Equatable, Sendable {
    /// The number of rows: masks in a set.
    public private(set) var rowCount: Int
    /// The number of elements in a row: `C · H · W` of a mask.
    public let elementsPerRow: Int

    @usableFromInline let wordsPerRow: Int
    @usableFromInline var words: [UInt64]

    /// Creates rows of zeros.
    ///
    /// - Throws: `TensorError` with the code `negativeExtent` or `tooManyElements`.
    public init(rowCount: Int, elementsPerRow: Int) throws(TensorError) {
        _ = try TensorShape([rowCount, elementsPerRow])
        self.rowCount = rowCount
        self.elementsPerRow = elementsPerRow
        self.wordsPerRow = elementsPerRow / 64 + (elementsPerRow % 64 == 0 ? 0 : 1)
        self.words = Array(repeating: 0, count: rowCount * wordsPerRow)
    }

    /// Calls a body with the packed bits of all rows, for a checksum.
    package func withUnsafeBytes(_ body: (UnsafeRawBufferPointer) -> Void) {
        words.withUnsafeBytes(body)
    }

    /// The bit at an element of a row.
    @inlinable
    public subscript(row: Int, element: Int) -> Bool {
        get {
            precondition(element >= 0 && element < elementsPerRow)
            return words[row * wordsPerRow + element >> 6] >> UInt64(element & 63) & 1 == 1
        }
        set {
            precondition(element >= 0 && element < elementsPerRow)
            let bit: UInt64 = 1 << UInt64(element & 63)
            if newValue {
                words[row * wordsPerRow + element >> 6] |= bit
            } else {
                words[row * wordsPerRow + element >> 6] &= ~bit
            }
        }
    }

    /// Sets a row from bytes: a bit for every byte that is not zero. O(`elementsPerRow`).
    public mutating func setRow(_ row: Int, from bytes: UnsafeBufferPointer<UInt8>) {
        withRowWriter { _ = $0.setRow(row, from: bytes) }
    }

    /// Lets a body write rows, from several threads if each has rows of its own.
    package mutating func withRowWriter<Result, Failure: Error>(
        _ body: (MaskRowWriter) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let (rowCount, elementsPerRow, wordsPerRow) = (rowCount, elementsPerRow, wordsPerRow)
        return try words.withUnsafeMutableBufferPointer { words throws(Failure) in
            try body(
                MaskRowWriter(
                    words: words, rowCount: rowCount, elementsPerRow: elementsPerRow, wordsPerRow: wordsPerRow
                ))
        }
    }

    /// Writes a row as bytes that are 0 or 1. O(`elementsPerRow`).
    public func expandRow(_ row: Int, into bytes: UnsafeMutableBufferPointer<UInt8>) {
        precondition(bytes.count == elementsPerRow && row >= 0 && row < rowCount)
        words.withUnsafeBufferPointer { words in
            guard let words = words.baseAddress, let bytes = bytes.baseAddress else { return }
            rr_spread_bits(words + row * wordsPerRow, elementsPerRow, bytes)
        }
    }

    /// Asks for a row that is expanded soon.
    package func prefetchRow(_ row: Int) {
        precondition(row >= 0 && row < rowCount)
        words.withUnsafeBufferPointer { words in
            guard let words = words.baseAddress else { return }
            rr_prefetch(words + row * wordsPerRow, wordsPerRow * MemoryLayout<UInt64>.size)
        }
    }

    /// Sets every bit of a row that is set in a row of `other`, whose rows have as many elements.
    @inlinable
    public mutating func formUnion(row: Int, with other: MaskBits, row otherRow: Int) {
        precondition(other.elementsPerRow == elementsPerRow)
        for word in 0..<wordsPerRow {
            words[row * wordsPerRow + word] |= other.words[otherRow * wordsPerRow + word]
        }
    }

    /// Makes room for rows that will be appended.
    package mutating func reserve(rowCount: Int) { words.reserveCapacity(rowCount * wordsPerRow) }

    /// Adds a row of zeros.
    package mutating func appendRow() {
        words.append(contentsOf: repeatElement(0, count: wordsPerRow))
        rowCount += 1
    }

    /// Adds rows of `other`, whose rows have as many elements.
    package mutating func append(rows: Range<Int>, of other: MaskBits) {
        precondition(other.elementsPerRow == elementsPerRow)
        words += other.words[rows.lowerBound * wordsPerRow..<rows.upperBound * wordsPerRow]
        rowCount += rows.count
    }

    /// Removes the rows from a number on.
    public mutating func truncate(toRowCount count: Int) {
        precondition(count >= 0 && count <= rowCount)
        words.removeLast((rowCount - count) * wordsPerRow)
        rowCount = count
    }

    /// Whether no bit of a row is set, for each row.
    package var isRowZero: [Bool] {
        words.withUnsafeBufferPointer { words in
            (0..<rowCount).map { row in
                var anySet: UInt64 = 0
                for index in row * wordsPerRow..<(row + 1) * wordsPerRow { anySet |= words[index] }
                return anySet == 0
            }
        }
    }

    /// The number of set bits in a row.
    public func count(row: Int) -> Int {
        words[row * wordsPerRow..<(row + 1) * wordsPerRow].reduce(0) { $0 + $1.nonzeroBitCount }
    }
}

extension MaskBits {
    /// Calls a body with the bits of all rows: each row starts on a word, whose lowest bit is the row's first element.
    package func withWords<Result>(_ body: (UnsafeBufferPointer<UInt64>) -> Result) -> Result {
        words.withUnsafeBufferPointer(body)
    }
}

/// Sets rows of mask bits, each on one thread; valid only during the call that passes it.
package struct MaskRowWriter: @unchecked Sendable {
    private let words: UnsafeMutableBufferPointer<UInt64>
    private let rowCount: Int
    private let elementsPerRow: Int
    private let wordsPerRow: Int

    init(words: UnsafeMutableBufferPointer<UInt64>, rowCount: Int, elementsPerRow: Int, wordsPerRow: Int) {
        self.words = words
        self.rowCount = rowCount
        self.elementsPerRow = elementsPerRow
        self.wordsPerRow = wordsPerRow
    }

    /// Sets a row from bytes: a bit for every byte that is not zero. O(`elementsPerRow`).
    ///
    /// - Returns: the bitwise or of all bytes: more than 1 only where not all are 0 or 1.
    package func setRow(_ row: Int, from bytes: UnsafeBufferPointer<UInt8>) -> UInt8 {
        precondition(bytes.count == elementsPerRow && row >= 0 && row < rowCount)
        guard let words = words.baseAddress, let bytes = bytes.baseAddress else { return 0 }
        return rr_gather_bits(bytes, elementsPerRow, words + row * wordsPerRow)
    }
}
