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

    /// Reads the first bytes of a file, all where it has fewer.
    ///
    /// - Throws: `FormatError` with the code `notFound` or `cannotRead`.
    package static func read(_ path: String, prefix maximumCount: Int) throws(FormatError) -> [UInt8] {
        let file = try InputFile(reading: path)
        _ = try file.size()
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: maximumCount) { buffer, count in
            while count < maximumCount {
                let step = Glibc.read(
                    file.descriptor, buffer.baseAddress?.advanced(by: count), maximumCount - count)
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

    /// Writes a whole file, replacing what is at `path`: give the temporary path of an `AtomicOutput`.
    ///
    /// - Throws: `FormatError` with the code `cannotWrite`.
    package static func write(_ bytes: [UInt8], to path: String) throws(FormatError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else {
            throw FormatError(.cannotWrite, path: path, SystemFailure.message(errno))
        }
        var written = 0
        var failure: Int32 = 0
        bytes.withUnsafeBytes { buffer in
            while written < buffer.count, failure == 0 {
                let rest = UnsafeRawBufferPointer(rebasing: buffer[written...])
                let step = Glibc.write(descriptor, rest.baseAddress, rest.count)
                if step >= 0 {
                    written += step
                } else if errno != EINTR {
                    failure = errno
                }
            }
        }
        // Some file systems report a full disk only here.
        if close(descriptor) != 0, failure == 0 { failure = errno }
        guard failure == 0 else {
            throw FormatError(.cannotWrite, path: path, SystemFailure.message(failure))
        }
    }
}
