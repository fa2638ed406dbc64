internal import CHDF5

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

extension HDF5ElementType {
    /// Describes a type of libhdf5.
    init(of type: borrowing HDF5Handle) {
        let id = type.id
        let size = H5Tget_size(id)
        let isBigEndian = size > 1 && H5Tget_order(id) == H5T_ORDER_BE
        switch H5Tget_class(id) {
        case H5T_INTEGER:
            self.init(Self.integerKind(id, size: size), isBigEndian: isBigEndian)
        case H5T_FLOAT:
            self.init(Self.floatKind(id, size: size), isBigEndian: isBigEndian)
        case H5T_ENUM:
            self.init(Self.isBoolean(id, size: size) ? .bool : .other("enumeration of \(size) bytes"))
        case H5T_BITFIELD:
            // PyTables' bool.
            self.init(size == 1 ? .bool : .other("bit field of \(size) bytes"))
        case H5T_STRING:
            self.init(H5Tis_variable_str(id) > 0 ? .variableString : .fixedString(length: size))
        case H5T_COMPOUND: self.init(.other("compound of \(size) bytes"))
        case H5T_ARRAY: self.init(.other("array of \(size) bytes"))
        case H5T_VLEN: self.init(.other("sequence of variable length"))
        case H5T_REFERENCE: self.init(.other("reference"))
        case H5T_OPAQUE: self.init(.other("opaque of \(size) bytes"))
        default: self.init(.other("type of \(size) bytes that is not known"))
        }
    }

    private static func integerKind(_ id: hid_t, size: Int) -> Kind {
        guard H5Tget_precision(id) == size * 8, H5Tget_offset(id) == 0 else {
            return .other("integer of \(H5Tget_precision(id)) bits in \(size) bytes")
        }
        let isSigned = H5Tget_sign(id) != H5T_SGN_NONE
        return switch size {
        case 1: isSigned ? .int8 : .uint8
        case 2: isSigned ? .int16 : .uint16
        case 4: isSigned ? .int32 : .uint32
        case 8: isSigned ? .int64 : .uint64
        default: .other("integer of \(size) bytes")
        }
    }

    /// IEEE 754's binary16, binary32 and binary64 by their fields; everything else is described only.
    private static func floatKind(_ id: hid_t, size: Int) -> Kind {
        var (sign, exponent, exponentSize, mantissa, mantissaSize) = (0, 0, 0, 0, 0)
        H5Tget_fields(id, &sign, &exponent, &exponentSize, &mantissa, &mantissaSize)
        let fields = [sign, exponent, exponentSize, mantissa, mantissaSize, H5Tget_ebias(id)]
        return switch (size, fields) {
        case (2, [15, 10, 5, 0, 10, 15]): .float16
        case (4, [31, 23, 8, 0, 23, 127]): .float32
        case (8, [63, 52, 11, 0, 52, 1023]): .float64
        default: .other("floating-point number of \(size) bytes that is none of float16, float32, float64")
        }
    }

    /// h5py's bool: an enumeration in a byte of FALSE = 0 and TRUE = 1.
    private static func isBoolean(_ id: hid_t, size: Int) -> Bool {
        guard size == 1, H5Tget_nmembers(id) == 2 else { return false }
        var value: UInt8 = 0
        guard H5Tenum_valueof(id, "FALSE", &value) >= 0, value == 0 else { return false }
        return H5Tenum_valueof(id, "TRUE", &value) >= 0 && value == 1
    }

    /// Creates libhdf5's type for storing elements, little-endian.
    ///
    /// - Throws: `FormatError` with the code `unsupported` for types that are read only.
    func makeStoredType(at path: String) throws(FormatError) -> HDF5Handle {
        guard !isBigEndian else { throw unwritable(at: path) }
        switch kind {
        case .uint8: return try HDF5Handle(copyOf: rr_h5t_std_u8le(), at: path)
        case .int8: return try HDF5Handle(copyOf: rr_h5t_std_i8le(), at: path)
        case .uint16: return try HDF5Handle(copyOf: rr_h5t_std_u16le(), at: path)
        case .int16: return try HDF5Handle(copyOf: rr_h5t_std_i16le(), at: path)
        case .uint32: return try HDF5Handle(copyOf: rr_h5t_std_u32le(), at: path)
        case .int32: return try HDF5Handle(copyOf: rr_h5t_std_i32le(), at: path)
        case .uint64: return try HDF5Handle(copyOf: rr_h5t_std_u64le(), at: path)
        case .int64: return try HDF5Handle(copyOf: rr_h5t_std_i64le(), at: path)
        case .float32: return try HDF5Handle(copyOf: rr_h5t_ieee_f32le(), at: path)
        case .float64: return try HDF5Handle(copyOf: rr_h5t_ieee_f64le(), at: path)
        case .fixedString(let length): return try Self.makeStringType(size: length, at: path)
        case .variableString: return try Self.makeStringType(size: rr_h5t_variable(), at: path)
        case .float16, .bool, .other: throw unwritable(at: path)
        }
    }

    private static func makeStringType(size: Int, at path: String) throws(FormatError) -> HDF5Handle {
        let type = try HDF5Handle(copyOf: rr_h5t_c_s1(), at: path)
        try HDF5Library.check(H5Tset_size(type.id, size), at: path)
        try HDF5Library.check(H5Tset_strpad(type.id, H5T_STR_NULLPAD), at: path)
        try HDF5Library.check(H5Tset_cset(type.id, H5T_CSET_UTF8), at: path)
        return type
    }

    private func unwritable(at path: String) -> FormatError {
        FormatError(.unsupported, path: path, "elements of the type \(self) are not written")
    }
}

/// A number as it stands in memory, which libhdf5 converts from and to what stands in a file.
package protocol HDF5Element: BitwiseCopyable, Sendable, Equatable, ExpressibleByIntegerLiteral {
    /// How a dataset of this type is stored: little-endian.
    static var storedType: HDF5ElementType { get }

    /// Converts a whole number; nil where it does not fit.
    init?(converting number: some BinaryInteger)
}

extension HDF5Element where Self: BinaryInteger {
    package init?(converting number: some BinaryInteger) { self.init(exactly: number) }
}

extension HDF5Element where Self: BinaryFloatingPoint {
    package init?(converting number: some BinaryInteger) { self.init(number) }
}

extension UInt8: HDF5Element { package static var storedType: HDF5ElementType { .uint8 } }
extension Int8: HDF5Element { package static var storedType: HDF5ElementType { .int8 } }
extension UInt16: HDF5Element { package static var storedType: HDF5ElementType { .uint16 } }
extension Int16: HDF5Element { package static var storedType: HDF5ElementType { .int16 } }
extension UInt32: HDF5Element { package static var storedType: HDF5ElementType { .uint32 } }
extension Int32: HDF5Element { package static var storedType: HDF5ElementType { .int32 } }
extension UInt64: HDF5Element { package static var storedType: HDF5ElementType { .uint64 } }
extension Int64: HDF5Element { package static var storedType: HDF5ElementType { .int64 } }
extension Float: HDF5Element { package static var storedType: HDF5ElementType { .float32 } }
extension Double: HDF5Element { package static var storedType: HDF5ElementType { .float64 } }

extension HDF5Element {
    /// libhdf5's predefined type for this type in memory. It lives as long as the library.
    static var memoryType: hid_t {
        switch storedType.kind {
        case .uint8: rr_h5t_native_uint8()
        case .int8: rr_h5t_native_int8()
        case .uint16: rr_h5t_native_uint16()
        case .int16: rr_h5t_native_int16()
        case .uint32: rr_h5t_native_uint32()
        case .int32: rr_h5t_native_int32()
        case .uint64: rr_h5t_native_uint64()
        case .int64: rr_h5t_native_int64()
        case .float32: rr_h5t_native_float()
        default: rr_h5t_native_double()
        }
    }
}
