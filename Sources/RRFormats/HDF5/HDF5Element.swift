internal import CHDF5

/// A number as it stands in memory, which libhdf5 converts from and to what stands in a file.
package protocol HDF5Element: BitwiseCopyable, Sendable, Equatable, ExpressibleByIntegerLiteral {
    /// How a dataset of this type is stored: little-endian.
    static var storedType: HDF5ElementType { get }
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
