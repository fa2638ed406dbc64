internal import RRSchemas

/// Safetensors files: a length, a JSON header of that length, and the elements of all tensors.
///
/// The rules are those of the reference implementation (github.com/huggingface/safetensors, `tensor.rs`).
package enum SafeTensorsFile {
    /// The largest header that is read, in bytes; the reference implementation has the same limit.
    package static let largestHeader = 100_000_000

    /// Reads all tensors, in the order of their elements in the file.
    ///
    /// - Throws: `FormatError` with the code `notFound`, `cannotRead`, `malformed`, or `unsupported` for a type of
    ///   elements that is not known. The message names the tensor.
    package static func read(
        _ path: String, maximumSize: Int = 1 << 34
    ) throws(FormatError) -> [SafeTensor] {
        let file = try FileBytes.read(path, maximumSize: maximumSize, takesPipe: true)
        func malformed(_ message: String) -> FormatError { FormatError(.malformed, path: path, message) }
        guard file.count >= 8 else {
            throw malformed("this is no safetensors file: it has less than 8 bytes")
        }
        let claimed = file[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard claimed <= UInt64(largestHeader) else {
            throw malformed("the header claims \(claimed) bytes; at most \(largestHeader) are read")
        }
        let dataStart = 8 + Int(claimed)
        guard dataStart <= file.count else {
            throw malformed("the header claims \(claimed) bytes, but only \(file.count - 8) follow")
        }
        let entries = try SafeTensorsHeader(8..<dataStart, of: file, path: path).entries.sorted {
            ($0.start, $0.end, $0.name) < ($1.start, $1.end, $1.name)
        }
        var position = 0
        var tensors: [SafeTensor] = []
        for entry in entries {
            guard entry.start == position else {
                let fault =
                    entry.start < position ? "overlap those of another tensor" : "leave a gap before them"
                throw malformed("the elements of the tensor \(entry.name) \(fault)")
            }
            guard entry.end <= file.count - dataStart else {
                throw malformed("the elements of the tensor \(entry.name) reach beyond the end of the file")
            }
            let bytes = Array(file[dataStart + entry.start..<dataStart + entry.end])
            tensors.append(SafeTensor(name: entry.name, shape: entry.shape, type: entry.type, bytes: bytes))
            position = entry.end
        }
        guard position == file.count - dataStart else {
            throw malformed("\(file.count - dataStart - position) bytes after the last tensor belong to none")
        }
        return tensors
    }

    /// Writes tensors with the metadata `{"format":"pt"}`, byte for byte as `safetensors.torch.save_file` does.
    ///
    /// - Parameters:
    ///   - tensors: tensors of different names.
    ///   - path: what is written; give the temporary path of an `AtomicOutput`.
    /// - Throws: `FormatError` with the code `cannotWrite`.
    package static func write(_ tensors: [SafeTensor], to path: String) throws(FormatError) {
        precondition(Set(tensors.map(\.name)).count == tensors.count, "two tensors have the same name")
        // Large elements first, so that all are aligned; then by name.
        let order = SafeTensorType.allCases.sorted { $0.size > $1.size }
        let tensors = order.flatMap { type in
            tensors.filter { $0.type == type }.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        }
        var header = #"{"__metadata__":{"format":"pt"}"#
        var position = 0
        for tensor in tensors {
            let shape = tensor.shape.map(String.init).joined(separator: ",")
            let end = position + tensor.bytes.count
            header +=
                ",\(JSONValue.string(tensor.name).serialized()):{\"dtype\":\"\(tensor.type.rawValue)\",\"shape\":[\(shape)],"
            header += "\"data_offsets\":[\(position),\(end)]}"
            position = end
        }
        header += "}"
        header += String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(8 + header.utf8.count + position)
        for shift in stride(from: 0, to: 64, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: header.utf8.count >> shift))
        }
        bytes.append(contentsOf: header.utf8)
        for tensor in tensors { bytes.append(contentsOf: tensor.bytes) }
        try FileBytes.write(bytes, to: path)
    }
}

/// A named tensor of a safetensors file.
package struct SafeTensor: Sendable, Equatable {
    package let name: String
    package let shape: [Int]
    package let type: SafeTensorType
    /// The elements in row-major order, little-endian; they fill `shape`.
    package let bytes: [UInt8]

    init(name: String, shape: [Int], type: SafeTensorType, bytes: [UInt8]) {
        self.name = name
        self.shape = shape
        self.type = type
        self.bytes = bytes
    }

    /// Creates a tensor of F32.
    ///
    /// - Parameter values: the elements in row-major order, which fill `shape`.
    package init(name: String, shape: [Int], values: [Float]) {
        precondition(values.count == shape.reduce(1, *))
        self.init(name: name, shape: shape, type: .float32, bytes: values.withUnsafeBytes { Array($0) })
    }

    /// Creates a tensor of F64.
    ///
    /// - Parameter values: the elements in row-major order, which fill `shape`.
    package init(name: String, shape: [Int], values: [Double]) {
        precondition(values.count == shape.reduce(1, *))
        self.init(name: name, shape: shape, type: .float64, bytes: values.withUnsafeBytes { Array($0) })
    }

    /// The elements of a floating-point tensor, rounded to the nearest where `Scalar` is narrower.
    ///
    /// - Throws: `FormatError` with the code `unsupported` for integers and truth values.
    package func values<Scalar: BinaryFloatingPoint>(as scalar: Scalar.Type) throws(FormatError) -> [Scalar] {
        let load: (UnsafeRawBufferPointer, _ offset: Int) -> Scalar
        switch type {
        case .float64: load = { Scalar($0.loadUnaligned(fromByteOffset: $1, as: Double.self)) }
        case .float32: load = { Scalar($0.loadUnaligned(fromByteOffset: $1, as: Float.self)) }
        case .float16: load = { Scalar($0.loadUnaligned(fromByteOffset: $1, as: Float16.self)) }
        case .bfloat16:
            load = {
                Scalar(Float(bitPattern: UInt32($0.loadUnaligned(fromByteOffset: $1, as: UInt16.self)) << 16))
            }
        default:
            throw FormatError(
                .unsupported, path: name,
                "the tensor has elements of the type \(type.rawValue), not floating-point")
        }
        return bytes.withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count, by: type.size).map { load(bytes, $0) }
        }
    }
}

/// The types of elements of a safetensors file.
package enum SafeTensorType: String, Sendable, CaseIterable {
    case float64 = "F64"
    case float32 = "F32"
    case float16 = "F16"
    case bfloat16 = "BF16"
    case int64 = "I64"
    case int32 = "I32"
    case int16 = "I16"
    case int8 = "I8"
    case uint64 = "U64"
    case uint32 = "U32"
    case uint16 = "U16"
    case uint8 = "U8"
    case bool = "BOOL"

    /// The size of an element in bytes.
    package var size: Int {
        switch self {
        case .float64, .int64, .uint64: 8
        case .float32, .int32, .uint32: 4
        case .float16, .bfloat16, .int16, .uint16: 2
        case .int8, .uint8, .bool: 1
        }
    }
}
