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

    /// The same elements in another shape; the tensor itself where that has another number of elements.
    package func reshaped(_ shape: [Int]) -> SafeTensor {
        guard shape != self.shape, shape.reduce(1, *) == self.shape.reduce(1, *) else { return self }
        return SafeTensor(name: name, shape: shape, type: type, bytes: bytes)
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
