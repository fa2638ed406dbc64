internal import CStoredElements

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
