/// The header of an NPY file (NumPy Enhancement Proposal 1), which the elements follow.
package struct NPYHeader: Hashable, Sendable {
    package let shape: [Int]
    package let type: NPYElementType

    /// The header that `numpy.save` of NumPy 1.23 and later writes, byte for byte: version 1.0, C order, padded
    /// to a multiple of 64 bytes.
    ///
    /// - Parameter shape: no more than 32 extents, which NumPy itself is limited to.
    package static func bytes(shape: [Int], type: NPYElementType) -> [UInt8] {
        bytes(shape: shape, descriptor: type.rawValue)
    }

    /// The header for elements of any type.
    ///
    /// - Parameter descriptor: NumPy's name of the type with its byte order: `<u2`, `<U12`.
    package static func bytes(shape: [Int], descriptor: String) -> [UInt8] {
        precondition(shape.count <= 32)
        let extents = shape.count == 1 ? "\(shape[0])," : shape.map(String.init).joined(separator: ", ")
        var text = "{'descr': '\(descriptor)', 'fortran_order': False, 'shape': (\(extents)), }"
        // NumPy leaves room for the first extent to grow to 21 digits in place.
        if let first = shape.first {
            text += String(repeating: " ", count: max(0, 21 - "\(first)".utf8.count))
        }
        let length = (10 + text.utf8.count + 1 + 63) / 64 * 64 - 10
        text += String(repeating: " ", count: length - text.utf8.count - 1) + "\n"
        let magic: [UInt8] = [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 1, 0]
        return magic + [UInt8(length & 255), UInt8(length >> 8)] + Array(text.utf8)
    }
}
