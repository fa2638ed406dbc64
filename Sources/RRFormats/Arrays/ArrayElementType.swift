/// The type of an array's elements, whatever file it comes from and in whatever byte order it stands there.
package enum ArrayElementType: Hashable, Sendable, CustomStringConvertible {
    case uint8, int8, uint16, int16, uint32, int32, uint64, int64
    case float16, float32, float64
    /// One byte, 0 or 1.
    case bool
    case text
    /// Anything else, described in words: `compound of 12 bytes`.
    case other(String)

    /// The size of an element in memory, in bytes; nil where elements are no numbers.
    package var size: Int? {
        switch self {
        case .uint8, .int8, .bool: 1
        case .uint16, .int16, .float16: 2
        case .uint32, .int32, .float32: 4
        case .uint64, .int64, .float64: 8
        case .text, .other: nil
        }
    }

    /// Whether elements are integers; truth values count.
    package var isInteger: Bool {
        switch self {
        case .float16, .float32, .float64, .text, .other: false
        default: true
        }
    }

    /// NumPy's name: `float64`.
    package var description: String {
        switch self {
        case .uint8: "uint8"
        case .int8: "int8"
        case .uint16: "uint16"
        case .int16: "int16"
        case .uint32: "uint32"
        case .int32: "int32"
        case .uint64: "uint64"
        case .int64: "int64"
        case .float16: "float16"
        case .float32: "float32"
        case .float64: "float64"
        case .bool: "bool"
        case .text: "text"
        case .other(let words): words
        }
    }
}

/// Changes of the order of bytes within elements.
enum ByteOrder {
    /// Turns the bytes of every element round.
    ///
    /// - Parameter size: the bytes of an element; 1, 2, 4 or 8.
    static func swap(_ bytes: UnsafeMutableRawBufferPointer, elementSize size: Int) {
        switch size {
        case 2: swap(bytes, as: UInt16.self)
        case 4: swap(bytes, as: UInt32.self)
        case 8: swap(bytes, as: UInt64.self)
        default: break
        }
    }

    private static func swap<Word: FixedWidthInteger & BitwiseCopyable>(
        _ bytes: UnsafeMutableRawBufferPointer, as type: Word.Type
    ) {
        let step = MemoryLayout<Word>.size
        for offset in stride(from: 0, to: bytes.count - step + 1, by: step) {
            let word = bytes.loadUnaligned(fromByteOffset: offset, as: type)
            bytes.storeBytes(of: word.byteSwapped, toByteOffset: offset, as: type)
        }
    }
}
