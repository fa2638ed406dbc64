internal import Glibc

/// A file whose bytes are read at any place by any number of threads.
package final class RandomAccessFile: Sendable {
    package let path: String
    /// The size in bytes when the file was opened.
    package let size: Int
    private let file: InputFile
    /// The file's state when it was opened.
    private let state: FileState

    /// Opens a regular file for reading.
    ///
    /// - Throws: `FormatError` with the code `notFound` or `cannotRead`.
    package init(path: String) throws(FormatError) {
        file = try InputFile(reading: path)
        size = try file.size()
        state = try FileState(of: file, path: path)
        self.path = path
    }

    /// Checks that nobody has written to the file since it was opened.
    ///
    /// A file that was replaced by another of its name is still the old one here.
    ///
    /// - Throws: `FormatError` with the code `changed`, or `cannotRead` where the system does not tell.
    package func checkUnchanged() throws(FormatError) {
        guard try FileState(of: file, path: path) == state else {
            throw FormatError(
                .changed, path: path, "the file was written to while it was being read; start again")
        }
    }

    /// Fills a buffer with the bytes from an offset on.
    ///
    /// - Parameter location: what errors name.
    /// - Throws: `FormatError` with the code `malformed` where the file ends before, or `cannotRead`.
    package func read(
        at offset: Int, into bytes: UnsafeMutableRawBufferPointer, location: String
    ) throws(FormatError) {
        var position = offset
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = pread(
                file.descriptor, UnsafeMutableRawBufferPointer(rebasing: rest).baseAddress, rest.count,
                position)
            if count > 0 {
                position += count
                rest = rest.dropFirst(count)
            } else if count == 0 {
                throw FormatError(
                    .malformed, path: location, "the file ends before its data: it is cut short")
            } else if errno != EINTR {
                throw FormatError(.cannotRead, path: location, SystemFailure.message(errno))
            }
        }
    }

    /// The bytes from an offset on, of which the file may hold fewer.
    ///
    /// - Throws: `FormatError` with the code `cannotRead`.
    package func bytes(at offset: Int, count: Int) throws(FormatError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: max(0, min(count, size - offset)))
        guard !bytes.isEmpty else { return [] }
        let result: Result<Void, FormatError> = bytes.withUnsafeMutableBytes { buffer in
            do throws(FormatError) {
                return .success(try read(at: offset, into: buffer, location: path))
            } catch {
                return .failure(error)
            }
        }
        try result.get()
        return bytes
    }
}
