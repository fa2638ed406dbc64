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
        let bytes = try GzipFile.inflate(file.bytes(at: 0, count: file.count), path: path)
        let note =
            bytes.count > 256 << 20
            ? "\(path) is compressed and was inflated whole: it takes \(bytes.count >> 20) MiB of memory"
            : nil
        return try open(inflated: .memory(bytes), location: path, note: note)
    }

    private static func open(
        inflated bytes: ArrayBytes, location: String, note: String? = nil
    ) throws(FormatError) -> StoredArray {
        let beginning = try bytes.bytes(at: 0, count: 4)
        guard beginning.count == 4, beginning[0] == 0, beginning[1] == 0, let type = type(beginning[2]) else {
            throw FormatError(.malformed, path: location, "this is not an IDX file")
        }
        let rank = Int(beginning[3])
        let extents = try bytes.bytes(at: 4, count: rank * 4)
        guard extents.count == rank * 4 else {
            throw FormatError(.malformed, path: location, "the header is cut short")
        }
        let dimensions = (0..<rank).map { dimension in
            extents[dimension * 4..<dimension * 4 + 4].reduce(0) { $0 << 8 | Int($1) }
        }
        let shape: TensorShape
        do {
            shape = try TensorShape(dimensions)
        } catch {
            throw FormatError(.malformed, path: location, error.message)
        }
        return try StoredArray(
            bytes, at: 4 + rank * 4, type: type, isBigEndian: true, shape: shape, location: location,
            note: note)
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
