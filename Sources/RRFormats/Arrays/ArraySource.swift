package import RRTensor

/// An array in a file, read by rows along dimension 0. Any number of threads may read at once.
package protocol ArraySource: AnyObject, Sendable {
    /// The file, and where it holds several arrays the place inside it: `data.h5:/images`.
    var location: String { get }
    var shape: TensorShape { get }
    var elementType: ArrayElementType { get }
    /// The rows that stand in the file together and are read at the cost of one; 1 where any rows are.
    var rowsPerBlock: Int { get }
    /// What a user should know of how the array is read, such as memory that it takes; nil for nothing.
    var note: String? { get }
    /// Whether the elements were decoded of image files, so that the dimensions are (N, H, W, C).
    var holdsEncodedImages: Bool { get }
    /// What the values of whole numbers stand for, where the file names them; nil for bare numbers.
    var valueNames: [Int64: String]? { get }

    /// Checks that the elements can be in the file, before anyone allocates memory for them.
    ///
    /// - Throws: `FormatError` with the code `malformed`.
    func checkSize() throws(FormatError)

    /// Reads rows of numbers in C order, in the processor's byte order (little-endian); truth values are 0 and 1.
    ///
    /// - Parameter bytes: as many as the rows have.
    /// - Throws: `FormatError` with the code `malformed`, `cannotRead` or `unsupported`.
    func read(rows: Range<Int>, into bytes: UnsafeMutableRawBufferPointer) throws(FormatError)

    /// Reads all elements of an array of texts.
    ///
    /// - Throws: `FormatError` with the code `malformed`, `cannotRead`, or `unsupported` where the elements are none.
    func texts() throws(FormatError) -> [String]
}

extension ArraySource {
    package var note: String? { nil }
    package var valueNames: [Int64: String]? { nil }
    package var holdsEncodedImages: Bool { false }

    /// The number of elements in a row along dimension 0; 1 for a single element.
    package var elementsPerRow: Int { shape.dimensions.dropFirst().reduce(1, *) }

    /// The bytes of a row in memory; 0 where elements are no numbers.
    package var bytesPerRow: Int { elementsPerRow * (elementType.size ?? 0) }

    /// Reads a whole array of integers or truth values.
    ///
    /// - Throws: as `read(rows:into:)`, and `unsupported` for elements that are no integers or beyond int64.
    package func integers() throws(FormatError) -> [Int64] {
        try checkSize()
        let count = shape.elementCount
        switch elementType {
        case .uint8, .bool: return try all(UInt8.self).map { Int64($0) }
        case .int8: return try all(Int8.self).map { Int64($0) }
        case .uint16: return try all(UInt16.self).map { Int64($0) }
        case .int16: return try all(Int16.self).map { Int64($0) }
        case .uint32: return try all(UInt32.self).map { Int64($0) }
        case .int32: return try all(Int32.self).map { Int64($0) }
        case .int64: return try all(Int64.self)
        case .uint64:
            let values = try all(UInt64.self)
            guard let position = values.firstIndex(where: { $0 > UInt64(Int64.max) }) else {
                return values.map { Int64($0) }
            }
            throw FormatError(
                .unsupported, path: location,
                "element \(position) of \(count) is \(values[position]), too large")
        default:
            throw FormatError(.unsupported, path: location, "the elements are no integers but \(elementType)")
        }
    }

    /// All elements, whose type in memory is that of the array.
    private func all<Element: BitwiseCopyable & ExpressibleByIntegerLiteral>(
        _ type: Element.Type
    ) throws(FormatError) -> [Element] {
        var elements = [Element](repeating: 0, count: shape.elementCount)
        let rows = 0..<(shape.rank == 0 ? 1 : shape[0])
        guard !elements.isEmpty else { return [] }
        let result: Result<Void, FormatError> = elements.withUnsafeMutableBytes { bytes in
            do throws(FormatError) {
                return .success(try read(rows: rows, into: bytes))
            } catch {
                return .failure(error)
            }
        }
        try result.get()
        return elements
    }
}

extension ArraySource {
    /// The rows to read at once, for blocks of about 32 MB that end where rows stand together in the file.
    package var rowsInBlock: Int {
        let wanted = max(1, (32 << 20) / max(1, bytesPerRow))
        let rows = wanted < rowsPerBlock ? rowsPerBlock : wanted - wanted % rowsPerBlock
        return max(1, min(rows, shape.rank == 0 ? 1 : shape[0]))
    }

    /// Reads all rows, block by block, into the same memory.
    ///
    /// - Parameter body: called with the rows of a block and their bytes, in order.
    /// - Throws: as `checkSize()` and `read(rows:into:)`, and what `body` throws.
    package func forEachBlock(_ body: (Range<Int>, UnsafeRawBufferPointer) throws -> Void) throws {
        try checkSize()
        guard shape.elementCount > 0, bytesPerRow > 0 else { return }
        let rowsInBlock = rowsInBlock
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: rowsInBlock * bytesPerRow, alignment: 64)
        defer { buffer.deallocate() }
        // A scalar is one row.
        let rowCount = shape.rank == 0 ? 1 : shape[0]
        for start in stride(from: 0, to: rowCount, by: rowsInBlock) {
            let rows = start..<min(start + rowsInBlock, rowCount)
            let block = UnsafeMutableRawBufferPointer(rebasing: buffer[..<(rows.count * bytesPerRow)])
            try read(rows: rows, into: block)
            try body(rows, UnsafeRawBufferPointer(block))
        }
    }
}
