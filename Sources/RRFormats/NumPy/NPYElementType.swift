/// The types of elements that NPY files are read and written with: little-endian.
package enum NPYElementType: String, Sendable, CaseIterable {
    case uint8 = "|u1"
    case int64 = "<i8"
    case float32 = "<f4"
    case float64 = "<f8"

    /// The size of an element in bytes.
    package var size: Int {
        switch self {
        case .uint8: 1
        case .float32: 4
        case .int64, .float64: 8
        }
    }
}
