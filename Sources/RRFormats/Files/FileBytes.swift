internal import Glibc

/// Whole files as bytes.
package enum FileBytes {
    /// Reads a whole file.
    ///
    /// - Parameter maximumSize: the largest size in bytes that is served; it is checked before allocating.
    /// - Throws: `FormatError` with the code `notFound`, `cannotRead`, or `unsupported` for a larger file.
    package static func read(_ path: String, maximumSize: Int = 1 << 31) throws(FormatError) -> [UInt8] {
        let file = try InputFile(reading: path)
        let size = try file.size()
        guard size <= maximumSize else {
            throw FormatError(
                .unsupported, path: path, "the file has \(size) bytes; at most \(maximumSize) are read")
        }
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while count < size {
                let step = Glibc.read(file.descriptor, buffer.baseAddress?.advanced(by: count), size - count)
                if step > 0 {
                    count += step
                } else if step == 0 {
                    return
                } else if errno != EINTR {
                    failure = errno
                    return
                }
            }
        }
        guard failure == 0 else {
            throw FormatError(.cannotRead, path: path, SystemFailure.message(failure))
        }
        return bytes
    }
}
