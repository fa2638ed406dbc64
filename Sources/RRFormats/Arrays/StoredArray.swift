package import RRTensor

/// An array whose elements stand in one piece, in a file or in memory.
package final class StoredArray: ArraySource {
    /// How text stands in its elements.
    package enum TextEncoding: Hashable, Sendable {
        /// UTF-8, padded with zeros to a number of bytes.
        case utf8(byteCount: Int)
        /// NumPy's: a 32-bit number a character, padded with zeros.
        case utf32(characterCount: Int)
    }

    package let location: String
    package let shape: TensorShape
    package let elementType: ArrayElementType
    package let note: String?
    package var rowsPerBlock: Int {
        // In Fortran order each position within a row is read by itself, whatever the number of rows.
        isFortranOrder ? max(1, (64 << 20) / max(1, bytesPerRow)) : 1
    }

    private let bytes: ArrayBytes
    private let offset: Int
    private let isBigEndian: Bool
    private let isFortranOrder: Bool
    private let textEncoding: TextEncoding?

    /// Finds the elements in bytes.
    ///
    /// - Parameters:
    ///   - offset: where the elements begin.
    ///   - end: where the elements must end; nil for the end of the bytes.
    ///   - isFortranOrder: whether the first dimension is contiguous, not the last.
    /// - Throws: `FormatError` with the code `malformed` where the bytes do not hold the elements.
    package init(
        _ bytes: ArrayBytes, at offset: Int, end: Int? = nil, type: ArrayElementType,
        isBigEndian: Bool = false, isFortranOrder: Bool = false, textEncoding: TextEncoding? = nil,
        shape: TensorShape, location: String, note: String? = nil
    ) throws(FormatError) {
        self.bytes = bytes
        self.offset = offset
        elementType = type
        self.isBigEndian = isBigEndian
        self.isFortranOrder = isFortranOrder && shape.rank > 1
        self.textEncoding = textEncoding
        self.shape = shape
        self.location = location
        self.note = note
        let available = min(end ?? bytes.count, bytes.count) - offset
        let (needed, overflow) = shape.elementCount.multipliedReportingOverflow(by: storedElementSize)
        guard !overflow, available >= 0, needed == available else {
            throw FormatError(
                .malformed, path: location,
                "\(max(0, available)) bytes of elements do not fill the shape \(shape) of \(type)")
        }
    }

    private var storedElementSize: Int {
        switch textEncoding {
        case .utf8(let byteCount)?: byteCount
        case .utf32(let characterCount)?: characterCount * 4
        case nil: elementType.size ?? 0
        }
    }

    /// Does nothing: the initialiser has looked.
    package func checkSize() throws(FormatError) {}

    package func read(rows: Range<Int>, into target: UnsafeMutableRawBufferPointer) throws(FormatError) {
        guard let size = elementType.size else {
            throw FormatError(.unsupported, path: location, "the elements are no numbers but \(elementType)")
        }
        precondition(target.count == rows.count * bytesPerRow)
        guard !target.isEmpty else { return }
        if isFortranOrder {
            try readFortranOrder(rows: rows, into: target, elementSize: size)
        } else {
            try bytes.read(at: offset + rows.lowerBound * bytesPerRow, into: target, location: location)
        }
        if isBigEndian { ByteOrder.swap(target, elementSize: size) }
        if elementType == .bool {
            for position in target.indices where target[position] > 1 { target[position] = 1 }
        }
    }

    package func texts() throws(FormatError) -> [String] {
        guard let textEncoding else {
            throw FormatError(.unsupported, path: location, "the elements are no text but \(elementType)")
        }
        let size = storedElementSize
        let all = try bytes.bytes(at: offset, count: shape.elementCount * size)
        var texts: [String] = []
        texts.reserveCapacity(shape.elementCount)
        for start in stride(from: 0, to: all.count, by: max(1, size)) {
            let element = all[start..<start + size]
            guard let text = decode(element, textEncoding) else {
                throw FormatError(.malformed, path: location, "text \(texts.count) is not valid Unicode")
            }
            texts.append(text)
        }
        // Elements of no bytes are empty texts.
        return texts + Array(repeating: "", count: shape.elementCount - texts.count)
    }

    private func decode(_ element: ArraySlice<UInt8>, _ encoding: TextEncoding) -> String? {
        guard case .utf32(let count) = encoding else {
            let end = element.lastIndex { $0 != 0 }.map { $0 + 1 } ?? element.startIndex
            return String(validating: element[..<end], as: UTF8.self)
        }
        var text = String.UnicodeScalarView()
        var pending = 0
        for position in 0..<count {
            let start = element.startIndex + position * 4
            let word = element[start..<start + 4]
            let value = (isBigEndian ? Array(word) : word.reversed()).reduce(UInt32(0)) {
                $0 << 8 | UInt32($1)
            }
            guard let scalar = Unicode.Scalar(value) else { return nil }
            // Zeros at the end are padding.
            guard value != 0 else {
                pending += 1
                continue
            }
            text.append(contentsOf: repeatElement(Unicode.Scalar(UInt8(0)), count: pending))
            pending = 0
            text.append(scalar)
        }
        return String(text)
    }

    /// Gathers rows of an array whose first dimension is contiguous: for each position within a row, in the order
    /// of the file, one run of as many elements as there are rows.
    private func readFortranOrder(
        rows: Range<Int>, into target: UnsafeMutableRawBufferPointer, elementSize size: Int
    ) throws(FormatError) {
        let inner = Array(shape.dimensions.dropFirst())
        // The distance in C order of neighbours along each inner dimension.
        var steps = inner.map { _ in 1 }
        for dimension in inner.indices.dropLast().reversed() {
            steps[dimension] = steps[dimension + 1] * inner[dimension + 1]
        }
        let run = UnsafeMutableRawBufferPointer.allocate(byteCount: rows.count * size, alignment: 8)
        defer { run.deallocate() }
        var position = inner.map { _ in 0 }
        for column in 0..<elementsPerRow {
            let start = offset + (column * shape[0] + rows.lowerBound) * size
            try bytes.read(at: start, into: run, location: location)
            let place = zip(position, steps).reduce(0) { $0 + $1.0 * $1.1 }
            Self.scatter(run, into: target, from: place, by: elementsPerRow, elementSize: size)
            for dimension in inner.indices {
                position[dimension] += 1
                if position[dimension] < inner[dimension] { break }
                position[dimension] = 0
            }
        }
    }

    private static func scatter(
        _ run: UnsafeMutableRawBufferPointer, into target: UnsafeMutableRawBufferPointer, from first: Int,
        by step: Int, elementSize: Int
    ) {
        switch elementSize {
        case 1: scatter(run, into: target, from: first, by: step, as: UInt8.self)
        case 2: scatter(run, into: target, from: first, by: step, as: UInt16.self)
        case 4: scatter(run, into: target, from: first, by: step, as: UInt32.self)
        default: scatter(run, into: target, from: first, by: step, as: UInt64.self)
        }
    }

    private static func scatter<Word: BitwiseCopyable>(
        _ run: UnsafeMutableRawBufferPointer, into target: UnsafeMutableRawBufferPointer, from first: Int,
        by step: Int, as type: Word.Type
    ) {
        let size = MemoryLayout<Word>.size
        for row in 0..<run.count / size {
            target.storeBytes(
                of: run.loadUnaligned(fromByteOffset: row * size, as: type),
                toByteOffset: (row * step + first) * size, as: type)
        }
    }
}
