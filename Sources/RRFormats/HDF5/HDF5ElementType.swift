/// The type of a dataset's elements as it stands in the file.
package struct HDF5ElementType: Hashable, Sendable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable {
        case uint8, int8, uint16, int16, uint32, int32, uint64, int64
        case float16, float32, float64
        /// h5py's and PyTables' truth values: one byte, 0 or 1.
        case bool
        /// Text in a fixed number of bytes.
        case fixedString(length: Int)
        /// Text of any length, kept in the file's heap.
        case variableString
        /// Anything else, described in words: `compound of 12 bytes`.
        case other(String)
    }

    package let kind: Kind
    /// Whether the most significant byte stands first. False for types of one byte.
    package let isBigEndian: Bool

    package init(_ kind: Kind, isBigEndian: Bool = false) {
        self.kind = kind
        self.isBigEndian = isBigEndian
    }

    package static let uint8 = Self(.uint8)
    package static let int8 = Self(.int8)
    package static let uint16 = Self(.uint16)
    package static let int16 = Self(.int16)
    package static let uint32 = Self(.uint32)
    package static let int32 = Self(.int32)
    package static let uint64 = Self(.uint64)
    package static let int64 = Self(.int64)
    package static let float16 = Self(.float16)
    package static let float32 = Self(.float32)
    package static let float64 = Self(.float64)
    package static let bool = Self(.bool)
    package static let variableString = Self(.variableString)
    package static func fixedString(length: Int) -> Self { Self(.fixedString(length: length)) }

    /// The size of an element in bytes; nil where elements are no numbers.
    package var size: Int? {
        switch kind {
        case .uint8, .int8, .bool: 1
        case .uint16, .int16, .float16: 2
        case .uint32, .int32, .float32: 4
        case .uint64, .int64, .float64: 8
        case .fixedString, .variableString, .other: nil
        }
    }

    /// Whether elements are integers; truth values count.
    package var isInteger: Bool {
        switch kind {
        case .uint8, .int8, .uint16, .int16, .uint32, .int32, .uint64, .int64, .bool: true
        default: false
        }
    }

    /// Whether elements are floating-point numbers.
    package var isFloatingPoint: Bool {
        switch kind {
        case .float16, .float32, .float64: true
        default: false
        }
    }

    /// NumPy's name where bytes stand in little-endian order, its code otherwise: `float64`, `>f8`.
    package var description: String {
        switch kind {
        case .uint8: "uint8"
        case .int8: "int8"
        case .uint16: isBigEndian ? ">u2" : "uint16"
        case .int16: isBigEndian ? ">i2" : "int16"
        case .uint32: isBigEndian ? ">u4" : "uint32"
        case .int32: isBigEndian ? ">i4" : "int32"
        case .uint64: isBigEndian ? ">u8" : "uint64"
        case .int64: isBigEndian ? ">i8" : "int64"
        case .float16: isBigEndian ? ">f2" : "float16"
        case .float32: isBigEndian ? ">f4" : "float32"
        case .float64: isBigEndian ? ">f8" : "float64"
        case .bool: "bool"
        case .fixedString(let length): "string of \(length) bytes"
        case .variableString: "string of variable length"
        case .other(let words): words
        }
    }
}
