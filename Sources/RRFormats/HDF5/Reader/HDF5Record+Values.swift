internal import RRTensor

// What an error, an attribute and a dataset are in a record.
extension HDF5Record {
    mutating func append(_ error: FormatError) {
        append(error.code.number)
        append(error.path)
        append(error.message.parts) { record, part in
            switch part {
            case .text(let text):
                record.append(0)
                record.append(text)
            case .option(let option):
                record.append(1)
                record.append(option.name)
            case .operation(let operation):
                record.append(2)
                record.append(operation.name)
            }
        }
    }

    mutating func append(_ attribute: HDF5Attribute) {
        switch attribute {
        case .string(let text):
            append(0)
            append(text)
        case .strings(let texts):
            append(1)
            append(texts) { $0.append($1) }
        case .integer(let number):
            append(2)
            append(number)
        case .other: append(3)
        }
    }

    mutating func append(_ type: HDF5ElementType) {
        append(type.isBigEndian)
        switch type.kind {
        case .fixedString(let length):
            append(-1)
            append(length)
        case .variableString: append(-2)
        case .other(let words):
            append(-3)
            append(words)
        default: append(HDF5ElementType.numbers.firstIndex(of: type.kind) ?? -4)
        }
    }

    mutating func append(_ form: HDF5ElementForm) {
        switch form.type {
        case .text: append(-1)
        case .other(let words):
            append(-2)
            append(words)
        default: append(ArrayElementType.numbers.firstIndex(of: form.type) ?? -3)
        }
        append(form.isBigEndian)
        append(form.isAsStored)
        append(form.isBits)
        append(form.valueNames) { record, names in
            record.append(names.sorted { $0.key < $1.key }) { record, name in
                record.append(Int(name.key))
                record.append(name.value)
            }
        }
    }

    mutating func append(_ layout: HDF5Layout) {
        switch layout {
        case .contiguous(let offset):
            append(0)
            append(offset) { $0.append($1) }
        case .chunked(let extents, let filters):
            append(1)
            append(extents) { $0.append($1) }
            append(filters) { $0.append($1) }
        case .compact: append(2)
        case .other(let words):
            append(3)
            append(words)
        }
    }

    mutating func append(_ facts: HDF5DatasetFacts) {
        append(facts.elementType)
        append(facts.elementSize)
        append(facts.isPaddedWithSpaces)
        append(facts.form)
        append(facts.shape.dimensions) { $0.append($1) }
        append(facts.layout)
        append(facts.filters) { record, filters in
            record.append(filters) { record, filter in
                switch filter {
                case .deflate: record.append(-1)
                case .fletcher32: record.append(-2)
                case .shuffle(let elementSize): record.append(elementSize)
                }
            }
        }
        append(facts.isInOwnFile)
        append(facts.holdsByteSequences)
    }
}

extension HDF5RecordParser {
    mutating func error() throws(HDF5BrokenRecord) -> FormatError {
        guard let code = FormatError.Code(number: try number()) else { throw HDF5BrokenRecord() }
        let path = try text()
        let parts = try list { parser throws(HDF5BrokenRecord) -> Message in
            switch try parser.number() {
            case 0: return Message(try parser.text())
            case 1: return "\(option: OptionName(try parser.text()))"
            case 2: return "\(operation: OperationName(try parser.text()))"
            default: throw HDF5BrokenRecord()
            }
        }
        return FormatError(code, path: path, parts.reduce(Message("")) { $0 + $1 })
    }

    mutating func attribute() throws(HDF5BrokenRecord) -> HDF5Attribute {
        switch try number() {
        case 0: return .string(try text())
        case 1: return .strings(try list { parser throws(HDF5BrokenRecord) in try parser.text() })
        case 2: return .integer(try number())
        case 3: return .other
        default: throw HDF5BrokenRecord()
        }
    }

    mutating func elementType() throws(HDF5BrokenRecord) -> HDF5ElementType {
        let isBigEndian = try flag()
        let kind: HDF5ElementType.Kind
        switch try number() {
        case -1: kind = .fixedString(length: try size())
        case -2: kind = .variableString
        case -3: kind = .other(try text())
        case let position where HDF5ElementType.numbers.indices.contains(position):
            kind = HDF5ElementType.numbers[position]
        default: throw HDF5BrokenRecord()
        }
        return HDF5ElementType(kind, isBigEndian: isBigEndian)
    }

    mutating func elementForm() throws(HDF5BrokenRecord) -> HDF5ElementForm {
        let type: ArrayElementType
        switch try number() {
        case -1: type = .text
        case -2: type = .other(try text())
        case let position where ArrayElementType.numbers.indices.contains(position):
            type = ArrayElementType.numbers[position]
        default: throw HDF5BrokenRecord()
        }
        let (isBigEndian, isAsStored, isBits) = (try flag(), try flag(), try flag())
        let names = try optional { parser throws(HDF5BrokenRecord) in
            try parser.list { parser throws(HDF5BrokenRecord) in
                (Int64(try parser.number()), try parser.text())
            }
        }
        return HDF5ElementForm(
            type: type, isBigEndian: isBigEndian, isAsStored: isAsStored, isBits: isBits,
            valueNames: names.map { Dictionary($0) { _, last in last } })
    }

    mutating func layout() throws(HDF5BrokenRecord) -> HDF5Layout {
        switch try number() {
        case 0:
            return .contiguous(
                fileOffset: try optional { parser throws(HDF5BrokenRecord) in try parser.size() })
        case 1:
            let extents = try list { parser throws(HDF5BrokenRecord) in try parser.size() }
            return .chunked(
                extents, filters: try list { parser throws(HDF5BrokenRecord) in try parser.text() })
        case 2: return .compact
        case 3: return .other(try text())
        default: throw HDF5BrokenRecord()
        }
    }

    /// A shape whose rows can be counted in bytes.
    mutating func shape() throws(HDF5BrokenRecord) -> TensorShape {
        let dimensions = try list { parser throws(HDF5BrokenRecord) in try parser.size() }
        guard let shape = try? TensorShape(dimensions),
            (try? TensorShape([16] + dimensions.dropFirst().map { max(1, $0) })) != nil
        else { throw HDF5BrokenRecord() }
        return shape
    }

    /// The facts of a dataset, which agree with each other.
    mutating func datasetFacts() throws(HDF5BrokenRecord) -> HDF5DatasetFacts {
        let (elementType, elementSize, isPaddedWithSpaces) = (try elementType(), try size(), try flag())
        let form = try elementForm()
        let shape = try shape()
        let layout = try layout()
        let filters = try optional { parser throws(HDF5BrokenRecord) in
            try parser.list { parser throws(HDF5BrokenRecord) -> HDF5ChunkDecoder.Filter in
                switch try parser.number() {
                case -1: return .deflate
                case -2: return .fletcher32
                case let size where size > 0: return .shuffle(elementSize: size)
                default: throw HDF5BrokenRecord()
                }
            }
        }
        let (isInOwnFile, holdsByteSequences) = (try flag(), try flag())
        guard !form.isAsStored || form.type.size == nil || form.type.size == elementSize else {
            throw HDF5BrokenRecord()
        }
        return HDF5DatasetFacts(
            elementType: elementType, elementSize: elementSize, isPaddedWithSpaces: isPaddedWithSpaces,
            form: form, shape: shape, layout: layout, filters: filters, isInOwnFile: isInOwnFile,
            holdsByteSequences: holdsByteSequences)
    }
}

extension FormatError.Code {
    private static let all: [Self] = [
        .notFound, .cannotRead, .inUse, .changed, .malformed, .unsupported, .outputExists, .cannotWrite,
        .writeFailed,
    ]

    fileprivate var number: Int { Self.all.firstIndex(of: self) ?? 0 }

    fileprivate init?(number: Int) {
        guard Self.all.indices.contains(number) else { return nil }
        self = Self.all[number]
    }
}

extension HDF5ElementType {
    /// The kinds that are numbers, in the order of their places in a record.
    static let numbers: [Kind] = [
        .uint8, .int8, .uint16, .int16, .uint32, .int32, .uint64, .int64, .float16, .float32, .float64, .bool,
    ]
}

extension ArrayElementType {
    /// The types that are numbers, in the order of their places in a record.
    fileprivate static let numbers: [Self] = [
        .uint8, .int8, .uint16, .int16, .uint32, .int32, .uint64, .int64, .float16, .float32, .float64, .bool,
    ]
}
