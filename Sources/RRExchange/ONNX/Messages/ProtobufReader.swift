internal import RRFormats

/// The fields of one protobuf message, one after the other.
///
/// Encoding: protobuf.dev/programming-guides/encoding. Messages inside it and lists of bytes are parts of the file's bytes and
/// not copies of them, so that reading takes no more memory than what a file names one by one, of which `ProtobufBudget`
/// keeps count.
struct ProtobufReader {
    private let bytes: ArraySlice<UInt8>
    private var position: Int
    private let path: String
    let budget: ProtobufBudget

    /// The number of the field that was read last, as the message's definition has it.
    private(set) var field = 0
    private var content = Content.number(0)

    private enum Content {
        case number(UInt64)
        case bytes(ArraySlice<UInt8>)
    }

    init(_ bytes: ArraySlice<UInt8>, path: String, budget: ProtobufBudget) throws(FormatError) {
        self.bytes = bytes
        position = bytes.startIndex
        self.path = path
        self.budget = budget
        try budget.take(1, path: path)
    }

    /// Goes to the next field.
    ///
    /// - Returns: false at the end of the message.
    /// - Throws: `FormatError` with the code `malformed` where a field reaches beyond the message.
    mutating func next() throws(FormatError) -> Bool {
        guard position < bytes.endIndex else { return false }
        let key = try varint()
        guard let number = Int(exactly: key >> 3), number > 0 else {
            throw malformed("has a field without a number")
        }
        field = number
        switch key & 7 {
        case 0: content = .number(try varint())
        case 1: content = .number(try fixed(8))
        case 2:
            let size = try varint()
            guard size <= UInt64(bytes.endIndex - position) else {
                throw malformed("has a field of \(size) bytes where \(bytes.endIndex - position) are left")
            }
            content = .bytes(bytes[position..<position + Int(size)])
            position += Int(size)
        case 5: content = .number(try fixed(4))
        default: throw malformed("has a field of a kind that there is not")
        }
        return true
    }

    private mutating func varint() throws(FormatError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard position < bytes.endIndex else { throw malformed("ends in the middle of a number") }
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        throw malformed("has a number of more than ten bytes")
    }

    private mutating func fixed(_ size: Int) throws(FormatError) -> UInt64 {
        guard size <= bytes.endIndex - position else { throw malformed("ends in the middle of a number") }
        let value = bytes[position..<position + size].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        position += size
        return value
    }

    private func malformed(_ message: String) -> FormatError {
        FormatError(
            .malformed, path: path,
            "this is no ONNX model, or it is damaged: before byte \(position) a message \(message)")
    }

    // MARK: The field's value

    func integer() throws(FormatError) -> Int {
        guard case .number(let value) = content else {
            throw malformed("has other than a number in the field \(field)")
        }
        return Int(truncatingIfNeeded: value)
    }

    func float() throws(FormatError) -> Float {
        guard case .number(let value) = content, let bits = UInt32(exactly: value) else {
            throw malformed("has other than a float in the field \(field)")
        }
        return Float(bitPattern: bits)
    }

    func slice() throws(FormatError) -> ArraySlice<UInt8> {
        guard case .bytes(let bytes) = content else { throw malformed("has a number in the field \(field)") }
        return bytes
    }

    func text() throws(FormatError) -> String {
        let bytes = try slice()
        try budget.take(1 + bytes.count / 64, path: path)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw malformed("has a text that is not UTF-8 in the field \(field)")
        }
        return text
    }

    func message() throws(FormatError) -> ProtobufReader {
        try ProtobufReader(try slice(), path: path, budget: budget)
    }

    /// Adds the field's whole numbers to a list, of which a file may have one a field or all in one.
    func append(to list: inout [Int]) throws(FormatError) {
        guard case .bytes(let packed) = content else {
            try budget.take(1, path: path)
            list.append(try integer())
            return
        }
        // Each ends with a byte below 128.
        try budget.take(packed.count { $0 < 0x80 }, path: path)
        var numbers = ProtobufReader(packed, of: self)
        while numbers.position < packed.endIndex {
            list.append(Int(truncatingIfNeeded: try numbers.varint()))
        }
    }

    func append(to list: inout [Float]) throws(FormatError) {
        guard case .bytes(let packed) = content else {
            try budget.take(1, path: path)
            list.append(try float())
            return
        }
        guard packed.count % 4 == 0 else { throw malformed("ends in the middle of a float") }
        list += packed.withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count, by: 4).map {
                bytes.loadUnaligned(fromByteOffset: $0, as: Float.self)
            }
        }
    }

    func append(to list: inout [Double]) throws(FormatError) {
        guard case .bytes(let packed) = content else {
            guard case .number(let value) = content else { return }
            try budget.take(1, path: path)
            list.append(Double(bitPattern: value))
            return
        }
        guard packed.count % 8 == 0 else { throw malformed("ends in the middle of a number") }
        list += packed.withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count, by: 8).map {
                bytes.loadUnaligned(fromByteOffset: $0, as: Double.self)
            }
        }
    }

    /// The bytes of a list, as of another message.
    private init(_ bytes: ArraySlice<UInt8>, of message: ProtobufReader) {
        self.bytes = bytes
        position = bytes.startIndex
        path = message.path
        budget = message.budget
    }
}

/// How many messages, texts and numbers of lists a file may have: each takes more memory than its bytes, an empty message of
/// two bytes some hundred.
final class ProtobufBudget {
    /// ResNet-152 as PyTorch writes it, with where each node comes from, takes 50,000.
    static let largest = 1 << 19
    private var left = largest

    func take(_ count: Int, path: String) throws(FormatError) {
        left -= count
        guard left >= 0 else {
            throw FormatError(
                .unsupported, path: path,
                "the file has more than \(Self.largest) nodes, attributes and numbers beside its tensors")
        }
    }
}
