/// The header of an NPY file (NumPy Enhancement Proposal 1), which the elements follow.
package struct NPYHeader: Hashable, Sendable {
    package let shape: [Int]
    package let type: NPYElementType

    /// The header that `numpy.save` of NumPy 1.23 and later writes, byte for byte: version 1.0, C order, padded
    /// to a multiple of 64 bytes.
    ///
    /// - Parameter shape: no more than 32 extents, which NumPy itself is limited to.
    package static func bytes(shape: [Int], type: NPYElementType) -> [UInt8] {
        bytes(shape: shape, descriptor: type.rawValue)
    }

    /// The header for elements of any type.
    ///
    /// - Parameter descriptor: NumPy's name of the type with its byte order: `<u2`, `<U12`.
    package static func bytes(shape: [Int], descriptor: String) -> [UInt8] {
        precondition(shape.count <= 32)
        let extents = shape.count == 1 ? "\(shape[0])," : shape.map(String.init).joined(separator: ", ")
        var text = "{'descr': '\(descriptor)', 'fortran_order': False, 'shape': (\(extents)), }"
        // NumPy leaves room for the first extent to grow to 21 digits in place.
        if let first = shape.first {
            text += String(repeating: " ", count: max(0, 21 - "\(first)".utf8.count))
        }
        let length = (10 + text.utf8.count + 1 + 63) / 64 * 64 - 10
        text += String(repeating: " ", count: length - text.utf8.count - 1) + "\n"
        let magic: [UInt8] = [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 1, 0]
        return magic + [UInt8(length & 255), UInt8(length >> 8)] + Array(text.utf8)
    }
}

/// The types of elements that NPY files are read and written with: little-endian.
package enum NPYElementType: String, Sendable, CaseIterable {
    case uint8 = "|u1"
    case int64 = "<i8"
    case float32 = "<f4"
    case float64 = "<f8"

    /// The size of an element in bytes.
    package var size: Int {
        switch self {
        case .uint8: 1
        case .float32: 4
        case .int64, .float64: 8
        }
    }
}

/// What the header of an NPY file says.
struct NPYDescription: Hashable {
    let shape: [Int]
    let type: ArrayElementType
    let isBigEndian: Bool
    let isFortranOrder: Bool
    /// How text stands in the elements; nil for numbers.
    let textEncoding: StoredArray.TextEncoding?

    /// Parses a header: a literal of a Python dictionary with `descr`, `fortran_order` and `shape`.
    ///
    /// - Throws: `FormatError` with the code `malformed`, or `unsupported` for elements that are no numbers or text.
    init(_ header: [UInt8], location: String) throws(FormatError) {
        var parser = PythonLiteralParser(header[...])
        guard let fields = parser.dictionary() else {
            throw FormatError(
                .malformed, path: location, "the header is no dictionary of descr, fortran_order and shape")
        }
        guard case .text(let code)? = fields["descr"], case .integers(let shape)? = fields["shape"],
            case .truth(let isFortranOrder)? = fields["fortran_order"]
        else {
            throw FormatError(
                .unsupported, path: location,
                "the header has no plain descr, fortran_order and shape: is this a record?")
        }
        self.shape = shape
        self.isFortranOrder = isFortranOrder
        let order = code.utf8.first
        isBigEndian = order == UInt8(ascii: ">")
        guard let order, "<>|=".utf8.contains(order), let kind = code.utf8.dropFirst().first,
            let size = Int(code.utf8.dropFirst(2).map { String(Unicode.Scalar($0)) }.joined()), size >= 0,
            let (type, encoding) = Self.type(kind: kind, size: size)
        else {
            throw FormatError(
                .unsupported, path: location,
                "elements of the type \(code); served are truth values, integers of 8 to 64 bits, floating-point "
                    + "numbers of 16 to 64 bits, and text")
        }
        self.type = type
        textEncoding = encoding
    }

    /// The size of a stored element in bytes.
    var elementSize: Int {
        switch textEncoding {
        case .utf8(let byteCount)?: byteCount
        case .utf32(let characterCount)?: characterCount * 4
        case nil: type.size ?? 0
        }
    }

    private static func type(
        kind: UInt8, size: Int
    ) -> (ArrayElementType, StoredArray.TextEncoding?)? {
        switch (kind, size) {
        case (UInt8(ascii: "b"), 1): (.bool, nil)
        case (UInt8(ascii: "u"), 1): (.uint8, nil)
        case (UInt8(ascii: "u"), 2): (.uint16, nil)
        case (UInt8(ascii: "u"), 4): (.uint32, nil)
        case (UInt8(ascii: "u"), 8): (.uint64, nil)
        case (UInt8(ascii: "i"), 1): (.int8, nil)
        case (UInt8(ascii: "i"), 2): (.int16, nil)
        case (UInt8(ascii: "i"), 4): (.int32, nil)
        case (UInt8(ascii: "i"), 8): (.int64, nil)
        case (UInt8(ascii: "f"), 2): (.float16, nil)
        case (UInt8(ascii: "f"), 4): (.float32, nil)
        case (UInt8(ascii: "f"), 8): (.float64, nil)
        case (UInt8(ascii: "S"), 0...(1 << 20)): (.text, .utf8(byteCount: size))
        case (UInt8(ascii: "U"), 0...(1 << 20)): (.text, .utf32(characterCount: size))
        default: nil
        }
    }
}
