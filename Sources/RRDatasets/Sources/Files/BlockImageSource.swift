internal import RRFormats
internal import RRTensor

/// Images in any layout that libhdf5 reads, fetched by blocks of whole chunks.
final class BlockImageSource: ImageSource {
    private let array: HDF5Array
    private let file: RandomAccessFile
    private let rowsPerBlock: Int

    /// Opens the file anew.
    init(path: String) throws(FormatError) {
        file = try RandomAccessFile(path: path)
        let images = try HDF5File(reading: path).dataset("/images")
        array = try HDF5Array(images)
        if case .chunked(let extents, _) = images.layout, let rows = extents.first {
            rowsPerBlock = max(1, min(rows, images.shape[0]))
        } else {
            rowsPerBlock = 1
        }
    }

    var block: ImageBlock { ImageBlock(rows: rowsPerBlock, isWorthKeeping: true, isIndivisible: true) }

    func makeReader() -> any ImageRowReader { HDF5RowReader(array) }

    func checkUnchanged() throws(FormatError) { try file.checkUnchanged() }
}

extension HDF5RowReader: ImageRowReader {}
