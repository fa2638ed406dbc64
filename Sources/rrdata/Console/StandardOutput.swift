import Glibc
import RRFormats

/// The standard output as a pipe to another program.
struct StandardOutput {
    /// The bytes written so far.
    private(set) var byteCount = 0

    /// Writes bytes.
    ///
    /// - Returns: whether the reader still reads; false once it has closed the pipe.
    /// - Throws: `FormatError` with the code `cannotWrite`.
    mutating func write(_ bytes: UnsafeRawBufferPointer) throws(FormatError) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = Glibc.write(
                STDOUT_FILENO, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if count >= 0 {
                rest = rest.dropFirst(count)
                byteCount += count
            } else if errno == EPIPE {
                return false
            } else if errno != EINTR {
                throw FormatError(.cannotWrite, path: "standard output", String(cString: strerror(errno)))
            }
        }
        return true
    }
}
