/// The value of an attribute.
package enum HDF5Attribute: Hashable, Sendable {
    case string(String)
    case strings([String])
    case integer(Int)
    /// Anything else: numbers with a fraction, arrays of numbers, compounds. It is not written.
    case other

    /// The value where it is a text.
    package var text: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    /// The value where it is a list of texts.
    package var texts: [String]? {
        guard case .strings(let texts) = self else { return nil }
        return texts
    }
}
