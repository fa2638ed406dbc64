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
