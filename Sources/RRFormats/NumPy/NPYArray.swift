package import RRTensor

/// An array from an NPY file.
package struct NPYArray: Sendable {
    package let shape: TensorShape
    package let type: NPYElementType
    /// The elements in C order, little-endian.
    package let bytes: ArraySlice<UInt8>

    /// Reads a file.
    ///
    /// - Throws: `FormatError` with the code `notFound`, `cannotRead`, `malformed` (also where the elements do not
    ///   fill the shape), or `unsupported` for other types, byte orders and Fortran order.
    package static func read(
        _ path: String, maximumSize: Int = 1 << 34
    ) throws(FormatError) -> NPYArray {
        let file = try FileBytes.read(path, maximumSize: maximumSize)
        let (header, offset) = try NPYHeader.parse(file, path: path)
        let shape: TensorShape
        do {
            shape = try TensorShape(header.shape)
        } catch {
            throw FormatError(.malformed, path: path, error.message)
        }
        let (size, overflow) = shape.elementCount.multipliedReportingOverflow(by: header.type.size)
        guard !overflow, size == file.count - offset else {
            throw FormatError(
                .malformed, path: path,
                "\(file.count - offset) bytes of elements do not fill the shape \(shape) of \(header.type)")
        }
        return NPYArray(shape: shape, type: header.type, bytes: file[offset...])
    }

    /// The elements as floating-point numbers, rounded to the nearest where `Scalar` is narrower.
    package func values<Scalar: BinaryFloatingPoint>(as scalar: Scalar.Type) -> [Scalar] {
        bytes.withUnsafeBytes { bytes in
            (0..<shape.elementCount).map { position in
                switch type {
                case .uint8: Scalar(bytes[position])
                case .int64: Scalar(bytes.loadUnaligned(fromByteOffset: position * 8, as: Int64.self))
                case .float32: Scalar(bytes.loadUnaligned(fromByteOffset: position * 4, as: Float.self))
                case .float64: Scalar(bytes.loadUnaligned(fromByteOffset: position * 8, as: Double.self))
                }
            }
        }
    }
}
