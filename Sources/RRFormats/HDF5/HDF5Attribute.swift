/// The value of an attribute.
package enum HDF5Attribute: Hashable, Sendable {
    case string(String)
    case strings([String])
    case integer(Int)
    /// Anything else: numbers with a fraction, arrays of numbers, compounds. It is not written.
    case other
}
