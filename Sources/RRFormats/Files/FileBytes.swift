internal import Glibc

/// Whole files as bytes.
package enum FileBytes {
    /// Reads a whole file, or its first bytes.
    ///
    /// - Parameters:
    ///   - maximumSize: the largest size in bytes that is served whole; it is checked before allocating.
    ///   - prefix: the number of bytes that are read, of whatever file; nil for all.
    ///   - takesPipe: whether the path may be that of a pipe, as where somebody names a file; what is found in a folder
    ///     is no pipe.
    /// - Throws: `FormatError` with the code `notFound`, `cannotRead`, or `unsupported` for a larger file.
    package static func read(
        _ path: String, maximumSize: Int = 1 << 31, prefix: Int? = nil, takesPipe: Bool = false
    ) throws(FormatError) -> [UInt8] {
        let file = try InputFile(reading: path, pipeLimit: takesPipe ? maximumSize : nil)
        guard prefix != nil || file.size <= maximumSize else {
            throw FormatError(
                .unsupported, path: path, "the file has \(file.size) bytes; at most \(maximumSize) are read")
        }
        let size = prefix ?? file.size
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while count < size {
                let step = pread(
                    file.descriptor, buffer.baseAddress?.advanced(by: count), size - count, count)
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
            throw FormatError(writing: path, failure: errno)
        }
        try writeAndClose(bytes, to: descriptor, path: path)
    }

    /// Writes a whole file where there was none.
    ///
    /// - Returns: false, with nothing written, where there is a file of this name already.
    /// - Throws: `FormatError` with the code `cannotWrite`.
    package static func create(_ bytes: [UInt8], at path: String) throws(FormatError) -> Bool {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else {
            guard errno != EEXIST else { return false }
            throw FormatError(writing: path, failure: errno)
        }
        try writeAndClose(bytes, to: descriptor, path: path)
        return true
    }

    private static func writeAndClose(
        _ bytes: [UInt8], to descriptor: Int32, path: String
    ) throws(FormatError) {
        do throws(FormatError) {
            try bytes.withUnsafeBytes { bytes in
                Result { () throws(FormatError) in try write(bytes, to: descriptor, path: path) }
            }.get()
        } catch {
            close(descriptor)
            throw error
        }
        // Some file systems report a full disk only here.
        guard close(descriptor) == 0 else {
            throw FormatError(writing: path, failure: errno)
        }
    }

    /// Writes bytes to an open file.
    static func write(
        _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, path: String
    ) throws(FormatError) {
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
            if count >= 0 {
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
            } else if errno != EINTR {
                throw FormatError(writing: path, failure: errno)
            }
        }
    }
}
