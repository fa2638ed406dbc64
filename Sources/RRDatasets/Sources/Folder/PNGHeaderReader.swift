package import RRFormats

/// Reads what the beginnings of the PNG files in a folder say of their images.
///
/// One thread uses it at a time.
package final class PNGHeaderReader {
    private let files: PNGFileBytes

    package init(folder: String) { files = PNGFileBytes(folder: folder) }

    /// Reads the header of a file of a list without its pixels.
    ///
    /// - Returns: what decoding will make of the file, and by what a later change of it is known.
    /// - Throws: `FormatError` where the file is not there, cannot be read or is no PNG that is served.
    package func read(_ position: Int, of files: PNGFileList) throws(FormatError) -> (
        header: PNGHeader, state: FileState
    ) {
        let result: Result<(header: PNGHeader, state: FileState), FormatError> =
            files.paths.withUTF8(at: position) { file in
                do throws(FormatError) {
                    return .success(try read(file))
                } catch {
                    return .failure(error)
                }
            }
        return try result.get()
    }

    private func read(
        _ file: UnsafeBufferPointer<UInt8>
    ) throws(FormatError) -> (header: PNGHeader, state: FileState) {
        let (start, state) = try files.readStart(file)
        let storage = try PNGDecoder.storage(ofStart: start, fileSize: state.size, path: files.name)
        if let storage { return (storage.header, state) }
        // A colour profile or a long text stands before the pixels.
        let bytes = try files.read(file, expecting: state)
        return (try PNGDecoder.storage(of: bytes, path: files.name).header, state)
    }
}
