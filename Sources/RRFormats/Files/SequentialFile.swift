internal import Glibc

/// A file that is written from its start to its end, through a buffer.
package final class SequentialFile {
    private let path: String
    private var descriptor: Int32
    private var pending: [UInt8] = []

    private static let capacity = 1 << 20

    /// Creates the file, replacing what is at `writtenPath`.
    ///
    /// - Parameter path: the file that errors name; nil for `writtenPath`.
    /// - Throws: `FormatError` with the code `cannotWrite`.
    package init(creating writtenPath: String, path: String? = nil) throws(FormatError) {
        self.path = path ?? writtenPath
        descriptor = open(writtenPath, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else {
            throw FormatError(writing: self.path, failure: errno)
        }
        pending.reserveCapacity(Self.capacity)
    }

    deinit {
        if descriptor >= 0 { _ = Glibc.close(descriptor) }
    }

    /// Appends bytes.
    ///
    /// - Throws: `FormatError` with the code `cannotWrite`.
    package func write(_ bytes: UnsafeRawBufferPointer) throws(FormatError) {
        if pending.count + bytes.count > Self.capacity { try flush() }
        if bytes.count < Self.capacity {
            pending.append(contentsOf: bytes)
        } else {
            try FileBytes.write(bytes, to: descriptor, path: path)
        }
    }

    /// Appends bytes.
    ///
    /// - Throws: `FormatError` with the code `cannotWrite`.
    package func write(_ bytes: [UInt8]) throws(FormatError) {
        try bytes.withUnsafeBytes { bytes in
            Result { () throws(FormatError) in try write(bytes) }
        }.get()
    }

    /// Writes what is buffered and closes the file, which must not be written to after.
    ///
    /// - Throws: `FormatError` with the code `cannotWrite`.
    package func close() throws(FormatError) {
        try flush()
        let status = Glibc.close(descriptor)
        descriptor = -1
        // Some file systems report a full disk only here.
        guard status == 0 else {
            throw FormatError(writing: path, failure: errno)
        }
    }

    private func flush() throws(FormatError) {
        try pending.withUnsafeBytes { pending in
            Result { () throws(FormatError) in
                try FileBytes.write(pending, to: descriptor, path: path)
            }
        }.get()
        pending.removeAll(keepingCapacity: true)
    }
}
