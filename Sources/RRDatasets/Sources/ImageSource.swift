internal import RRFormats

/// Where the stored bytes of a dataset's images come from. Any number of threads may read at once.
protocol ImageSource: Sendable {
    /// Reads the stored bytes of rows of `/images`, C order, little-endian.
    ///
    /// - Throws: `FormatError` where the file is damaged or was changed meanwhile.
    func read(rows: Range<Int>, into bytes: UnsafeMutableRawBufferPointer) throws

    /// The rows that are best fetched together, and whether keeping them in memory pays.
    var block: ImageBlock { get }

    /// Makes what one thread reads many rows with.
    ///
    /// - Throws: `FormatError` where the file is not there any more or is damaged.
    func makeReader() throws -> any ImageRowReader

    /// Checks that nobody has written to the file since it was opened.
    ///
    /// - Throws: `FormatError` with the code `changed`.
    func checkUnchanged() throws(FormatError)
}

/// One thread's way to the rows of an image source.
protocol ImageRowReader {
    /// Reads rows as `ImageSource.read(rows:into:)` does.
    func read(rows: Range<Int>, into bytes: UnsafeMutableRawBufferPointer) throws(FormatError)
}

/// Rows of an image source that are fetched together.
struct ImageBlock {
    let rows: Int
    /// Whether a row costs much less from memory than from the source.
    let isWorthKeeping: Bool
}
