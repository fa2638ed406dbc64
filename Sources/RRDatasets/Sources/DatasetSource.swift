internal import RRFormats
internal import RRTensor

/// What a dataset is made from: a file, a folder of images, or several of them. Any number of threads may read at once.
protocol DatasetSource: Sendable {
    /// What is known once the source is open.
    var contents: DatasetContents { get }

    /// The fingerprint where it is stored.
    var storedFingerprint: String? { get }

    /// The datasets that are joined; empty where there is one.
    var parts: [Dataset] { get }

    /// Whether images are decoded from a folder's files.
    var readsFolder: Bool { get }

    /// Reads the id of each sample.
    func ids() throws -> [String]

    /// The CRC-32 of each image's stored bytes.
    ///
    /// - Parameter progress: called with the number of images done and the number of all where they must be decoded.
    func checksums(progress: (_ done: Int, _ total: Int) -> Void) throws -> [UInt32]

    /// Checks an image that was read, unless its source did so as it read it.
    ///
    /// - Throws: `DatasetError` with the code `checksumMismatch`.
    func verify(_ image: UnsafeRawBufferPointer, at index: Int) throws(DatasetError)

    /// How the images were resized when they were imported.
    func resizing() throws -> Resizing?

    /// What the source says of its making, as it stands there; nil where it says nothing.
    func provenanceText() throws -> String?

    /// How the images are stored.
    func compression() throws -> Compression

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

/// What a dataset holds beside images and ids.
struct DatasetContents {
    let path: String
    let sampleCount: Int
    let imageShape: ImageShape
    let elementType: ImageElementType
    let color: String
    /// Without ids, which are read when they are asked for.
    let table: SampleTable
    /// How the files were read, where they allow more than one reading.
    var notes: [Message] = []

    /// The bytes of an image as it is stored.
    var imageSize: Int { imageShape.elementCount * elementType.size }
}

/// One thread's way to the rows of an image source.
protocol ImageRowReader {
    /// Reads the stored bytes of rows, C order, little-endian.
    ///
    /// - Throws: `FormatError` where the file is damaged or was changed meanwhile.
    func read(rows: Range<Int>, into bytes: UnsafeMutableRawBufferPointer) throws(FormatError)
}

/// Rows of an image source that are fetched together.
struct ImageBlock {
    let rows: Int
    /// Whether a row costs much less from memory than from the source.
    let isWorthKeeping: Bool
    /// Whether one row costs as much as all of its block.
    var isIndivisible = false
}
