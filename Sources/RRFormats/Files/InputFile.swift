internal import Glibc

/// A file open for reading, whose bytes are read at any place by any number of threads; closed when nobody holds it.
package final class InputFile: Sendable {
    package let path: String
    package let descriptor: Int32
    /// The file's state when it was opened.
    let state: FileState

    /// Opens a regular file for reading.
    ///
    /// - Parameter pipeLimit: the most bytes that are taken from a pipe of that path, which is read to its end and is a
    ///   file from then on, for this process; nil where a pipe is refused.
    /// - Throws: `FormatError` with the code `notFound`, or `cannotRead`: also for a folder, a device, a socket, and a
    ///   pipe that nobody writes to; `unsupported` for a pipe that brings too much.
    package convenience init(reading path: String, pipeLimit: Int? = nil) throws(FormatError) {
        guard !path.utf8.contains(0) else {
            throw FormatError(.notFound, path: path, "a path cannot hold a zero byte")
        }
        // Opened otherwise, a pipe would wait for somebody to write, and some devices for what they are for.
        let opened = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard opened >= 0 else {
            let failure = errno
            if failure == ENOENT || failure == ENOTDIR {
                throw FormatError(.notFound, path: path, "there is no such file")
            }
            if let kind = FileTree.kind(of: path), kind != .file { throw Self.refusal(of: kind, path) }
            throw FormatError(.cannotRead, path: path, SystemFailure.message(failure))
        }
        try self.init(descriptor: opened, path: path, pipeLimit: pipeLimit)
    }

    /// Takes over a descriptor that is open for reading.
    ///
    /// - Throws: `FormatError` with the code `cannotRead` (also for a folder).
    init(descriptor opened: Int32, path: String, pipeLimit: Int? = nil) throws(FormatError) {
        var status = stat()
        var failure = fstat(opened, &status) == 0 ? nil : errno
        let kind = FileTree.Kind(status.st_mode)
        var content = opened
        if failure == nil, kind == .pipe, let pipeLimit {
            defer { close(opened) }
            content = try PipeContents.shared.file(
                of: opened, FileTree.Identity(status), path: path, limit: pipeLimit)
            failure = fstat(content, &status) == 0 ? nil : errno
        }
        // From here on a failure closes the file.
        self.path = path
        descriptor = content
        state = FileState(status)
        if let failure { throw FormatError(.cannotRead, path: path, SystemFailure.message(failure)) }
        guard kind == .file || kind == .pipe && pipeLimit != nil else {
            throw Self.refusal(of: kind, path)
        }
    }

    /// Says why what stands at a path is not read.
    private static func refusal(of kind: FileTree.Kind, _ path: String) -> FormatError {
        let remedy =
            kind == .pipe ? ", which is not read here: save what it brings as a file first" : ", not a file"
        return FormatError(.cannotRead, path: path, "this is \(kind.name)\(remedy)")
    }

    deinit { close(descriptor) }

    /// The size in bytes when the file was opened.
    package var size: Int { state.size }

    /// Checks that nobody has written to the file since it was opened.
    ///
    /// A file that was replaced by another of its name is still the old one here.
    ///
    /// - Throws: `FormatError` with the code `changed`, or `cannotRead` where the system does not tell.
    package func checkUnchanged() throws(FormatError) {
        guard let now = FileState(descriptor: descriptor) else {
            throw FormatError(.cannotRead, path: path, SystemFailure.message(errno))
        }
        guard now == state else {
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
                descriptor, UnsafeMutableRawBufferPointer(rebasing: rest).baseAddress, rest.count,
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

/// What changes about a file when somebody writes to it or puts another in its place: its size, the time of its last
/// change, and the number that the file system knows it by.
package struct FileState: Equatable, Sendable {
    /// In bytes.
    package let size: Int
    /// Since 1970.
    private let nanoseconds: Int
    private let number: UInt64

    /// Asks the system about an open file; nil where it refuses, with the reason in `errno`.
    package init?(descriptor: Int32) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        self.init(status)
    }

    fileprivate init(_ status: stat) {
        size = Int(status.st_size)
        nanoseconds = status.st_mtim.tv_sec &* 1_000_000_000 &+ status.st_mtim.tv_nsec
        number = UInt64(status.st_ino)
    }
}

extension FormatError {
    /// The error for a system call that failed to write, with the code `writeFailed` where the disk failed and else
    /// `cannotWrite`.
    ///
    /// - Parameters:
    ///   - failure: the call's `errno`.
    ///   - explanation: what comes before the system's words.
    package init(writing path: String, failure: Int32, saying explanation: String = "") {
        self.init(
            SystemFailure.isOfDevice(failure) ? .writeFailed : .cannotWrite, path: path,
            explanation + SystemFailure.message(failure))
    }
}

/// The operating system's words for its error numbers.
package enum SystemFailure {
    /// Whether a device failed, or what stands between it and here, and not the request.
    static func isOfDevice(_ number: Int32) -> Bool {
        [EIO, EREMOTEIO, ENXIO, ENODEV, ESTALE, ETIMEDOUT].contains(number)
    }

    /// The message for an `errno`: `No space left on device`.
    package static func message(_ number: Int32) -> String {
        guard let text = strerror(number) else { return "error \(number)" }
        return String(cString: text)
    }
}

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

    /// Linux takes four times as long for as many bytes in pieces of 4 MB and more (ext4, 6.18).
    private static let pieceSize = 1 << 20

    /// Writes bytes to an open file.
    ///
    /// - Parameter position: where the file is to have them; nil for where the descriptor stands.
    static func write(
        _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, at position: Int? = nil, path: String
    ) throws(FormatError) {
        var done = 0
        while done < bytes.count {
            let piece = UnsafeRawBufferPointer(rebasing: bytes[done...].prefix(pieceSize))
            let count =
                position.map { pwrite(descriptor, piece.baseAddress, piece.count, $0 + done) }
                ?? Glibc.write(descriptor, piece.baseAddress, piece.count)
            if count >= 0 {
                done += count
            } else if errno != EINTR {
                throw FormatError(writing: path, failure: errno)
            }
        }
    }
}
