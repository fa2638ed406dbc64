internal import RRTensor

/// Arrays in IDX files, as MNIST's, plain or compressed by gzip.
///
/// The format is at the end of <http://yann.lecun.com/exdb/mnist/>: two zero bytes, the type, the number of
/// dimensions, each extent in 32 bits, and the elements; all with the most significant byte first.
package enum IDXArray {
    /// Opens a file.
    ///
    /// - Throws: `FormatError` with the code `notFound`, `cannotRead` or `malformed` (also where the elements do not
    ///   fill the shape).
    package static func open(_ path: String) throws(FormatError) -> StoredArray {
        try open(.open(path), location: path)
    }

    /// Opens an array in bytes, compressed or not.
    ///
    /// - Throws: as `open(_:)`.
    static func open(_ file: ArrayBytes, location path: String) throws(FormatError) -> StoredArray {
        guard try file.bytes(at: 0, count: 2) == GzipFile.signature else {
            return try open(inflated: file, location: path)
        }
        let compressed = try file.bytes(at: 0, count: file.count)
        // The header first: what it states is all that is inflated.
        let start = try GzipFile.beginning(of: compressed, count: largestHeader, path: path)
        let header = try Header(start, location: path)
        let size = header.fileSize
        let note =
            size > largestUnnoted
            ? "\(path) is compressed and was inflated whole: it takes \(size >> 20) MiB of memory"
            : nil
        guard size > largestAtOnce, GzipFile.statedSize(of: compressed) == UInt32(truncatingIfNeeded: size)
        else {
            let bytes = try GzipFile.inflate(compressed, size: size, path: path)
            return try open(inflated: .memory(bytes), location: path, note: note)
        }
        let bytes = DeferredBytes(size: size, beginning: start) { () throws(FormatError) in
            let bytes = try GzipFile.inflate(compressed, size: size, path: path)
            guard bytes.count == size else {
                throw FormatError(
                    .malformed, path: path, "\(bytes.count) bytes are there, and \(size) are stated")
            }
            return bytes
        }
        return try open(inflated: .deferred(bytes), location: path, note: note)
    }

    /// A file of more bytes is named in the array's note, since it is inflated in memory whole.
    private static let largestUnnoted = 256 << 20
    /// A file that is said twice to have more bytes is inflated when its elements are read and not when it is opened.
    private static let largestAtOnce = 32 << 20

    /// The magic number and as many extents as its byte can count.
    private static let largestHeader = 4 + 255 * 4

    private static func open(
        inflated bytes: ArrayBytes, location: String, note: String? = nil
    ) throws(FormatError) -> StoredArray {
        let header = try Header(bytes.bytes(at: 0, count: largestHeader), location: location)
        return try StoredArray(
            bytes, at: header.size, type: header.type, isBigEndian: true, shape: header.shape,
            location: location, note: note)
    }

    /// The size of the file that the first bytes of an uncompressed IDX file state; nil where they are not enough, or of no
    /// such file.
    ///
    /// - Throws: `FormatError` with the code `malformed` where no file has so many.
    static func fileSize(statedBy start: [UInt8], path: String) throws(FormatError) -> Int? {
        guard start.count >= 4, start[0] == 0, start[1] == 0, type(start[2]) != nil,
            start[3] <= ArrayFile.largestRank, start.count >= 4 + Int(start[3]) * 4
        else { return nil }
        return try Header(start, location: path).fileSize
    }

    private struct Header {
        let type: ArrayElementType
        let shape: TensorShape
        /// Its own bytes.
        let size: Int
        /// Its own bytes and those of the elements that it states.
        let fileSize: Int

        /// Reads the header that bytes begin with.
        init(_ bytes: [UInt8], location: String) throws(FormatError) {
            guard bytes.count >= 4, bytes[0] == 0, bytes[1] == 0, let type = IDXArray.type(bytes[2]) else {
                throw FormatError(.malformed, path: location, "this is not an IDX file")
            }
            let rank = Int(bytes[3])
            size = 4 + rank * 4
            guard bytes.count >= size else {
                throw FormatError(.malformed, path: location, "the header is cut short")
            }
            guard rank <= ArrayFile.largestRank else { throw ArrayFile.tooManyDimensions(rank, at: location) }
            let dimensions = (0..<rank).map { dimension in
                bytes[4 + dimension * 4..<8 + dimension * 4].reduce(0) { $0 << 8 | Int($1) }
            }
            do {
                shape = try TensorShape(dimensions)
            } catch {
                throw FormatError(.malformed, path: location, error.message)
            }
            self.type = type
            let (elements, overflow) = shape.elementCount.multipliedReportingOverflow(by: type.size ?? 1)
            let (sum, carry) = elements.addingReportingOverflow(size)
            guard !overflow, !carry else {
                throw FormatError(
                    .malformed, path: location, "the shape \(shape) of \(type) is more than any file holds")
            }
            fileSize = sum
        }
    }

    private static func type(_ code: UInt8) -> ArrayElementType? {
        switch code {
        case 0x08: .uint8
        case 0x09: .int8
        case 0x0B: .int16
        case 0x0C: .int32
        case 0x0D: .float32
        case 0x0E: .float64
        default: nil
        }
    }
}
