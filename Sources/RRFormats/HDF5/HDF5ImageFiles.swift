package import RRTensor
internal import Synchronization

/// PNG files inside an HDF5 file, each a sequence of bytes, as an array (N, H, W, C) of what they decode to.
///
/// Unchecked: libhdf5 is called, and `dataset` touched, under `lock` only.
package final class HDF5ImageFiles: ArraySource, @unchecked Sendable {
    package let location: String
    package let shape: TensorShape
    package let elementType: ArrayElementType
    package var rowsPerBlock: Int { 1 }
    package var holdsEncodedImages: Bool { true }

    private let dataset: HDF5Dataset
    private let lock = Mutex(())
    /// What every file has to be like: the first.
    private let header: PNGHeader

    /// Takes over a dataset of byte sequences.
    ///
    /// - Throws: `FormatError` with the code `malformed` or `unsupported` where the first is no PNG file, or none is there.
    package init(_ dataset: HDF5Dataset) throws(FormatError) {
        self.dataset = dataset
        location = dataset.location
        let dimensions = dataset.shape.dimensions
        guard let count = dimensions.first, count > 0, dimensions.dropFirst().allSatisfy({ $0 == 1 }) else {
            throw FormatError(
                .unsupported, path: location,
                "the shape \(dataset.shape) of sequences of bytes is not one encoded image in each row")
        }
        let first = try dataset.readByteSequences(rows: 0..<1)
        header = try Self.header(of: first[0], at: Self.place(0, location))
        do {
            shape = try TensorShape([count, header.height, header.width, header.channels])
        } catch {
            throw FormatError(.malformed, path: location, error.message)
        }
        elementType = header.bitDepth == 8 ? .uint8 : .uint16
    }

    private static func place(_ row: Int, _ location: String) -> String { "\(location), row \(row)" }

    private static func header(of bytes: [UInt8], at place: String) throws(FormatError) -> PNGHeader {
        if bytes.isEmpty {
            throw FormatError(.malformed, path: place, "the row is empty; an image is needed")
        }
        if bytes.starts(with: [0xFF, 0xD8]) {
            throw FormatError(.unsupported, path: place, "the row is a JPEG file; only PNG files are read")
        }
        let header: Result<PNGHeader, FormatError> = bytes.withUnsafeBytes { bytes in
            do throws(FormatError) {
                return .success(try PNGDecoder.header(of: bytes, path: place))
            } catch {
                return .failure(error)
            }
        }
        return try header.get()
    }

    /// Checks that the file has a byte for each image; each is checked as it is decoded.
    package func checkSize() throws(FormatError) {
        let fileSize = try lock.withLockTyped { () throws(FormatError) in try dataset.file.fileSize() }
        // A PNG file has at least its signature, header and end.
        guard shape[0] <= fileSize / 16 else {
            throw FormatError(
                .malformed, path: location,
                "\(shape[0]) PNG files cannot be in a file of \(fileSize) bytes")
        }
    }

    package func texts() throws(FormatError) -> [String] {
        throw FormatError(.unsupported, path: location, "the elements are no text but PNG files")
    }

    package func read(rows: Range<Int>, into bytes: UnsafeMutableRawBufferPointer) throws(FormatError) {
        precondition(bytes.count == rows.count * bytesPerRow)
        guard !bytes.isEmpty else { return }
        for row in rows {
            let stored = try lock.withLockTyped { () throws(FormatError) in
                try dataset.readByteSequences(rows: row..<row + 1)
            }
            let place = Self.place(row, location)
            let found = try Self.header(of: stored[0], at: place)
            guard found == header else {
                throw FormatError(
                    .unsupported, path: place,
                    "the image is \(found), but that of row 0 is \(header); all must be alike")
            }
            let image = try PNGDecoder.decode(stored[0], path: place)
            let start = (row - rows.lowerBound) * bytesPerRow
            UnsafeMutableRawBufferPointer(rebasing: bytes[start..<start + bytesPerRow])
                .copyBytes(from: image.samples)
        }
    }
}
