internal import CHDF5

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
