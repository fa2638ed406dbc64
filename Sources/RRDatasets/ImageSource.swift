/// Where the stored bytes of a dataset's images come from. Any number of threads may read at once.
protocol ImageSource: Sendable {
    /// Reads the stored bytes of rows of `/images`, C order, little-endian.
    ///
    /// - Throws: `FormatError` where the file is damaged or was changed meanwhile.
    func read(rows: Range<Int>, into bytes: UnsafeMutableRawBufferPointer) throws
}
