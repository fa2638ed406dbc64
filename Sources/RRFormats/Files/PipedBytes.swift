internal import Glibc
internal import Synchronization

/// Standard input, read whole into memory.
package enum PipedBytes {
    /// The path that stands for standard input.
    package static let standardInput = "-"

    /// Reads standard input to its end, or to where it is more than it states, or than there is memory for.
    ///
    /// - Throws: `FormatError` with the code `cannotRead`, or as `PipeMeter.add`.
    static func readStandardInput() throws(FormatError) -> [UInt8] {
        let path = standardInput
        guard isatty(STDIN_FILENO) == 0 else {
            throw FormatError(.cannotRead, path: path, "standard input is a terminal; pipe a file into it")
        }
        var all: [UInt8] = []
        var meter = PipeMeter(path: path, limit: PipeMeter.memoryLimit, reason: "that there is memory for")
        var block = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = block.withUnsafeMutableBytes { Glibc.read(STDIN_FILENO, $0.baseAddress, $0.count) }
            if count > 0 {
                try block.withUnsafeBytes { bytes in
                    Result { () throws(FormatError) in
                        try meter.add(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
                    }
                }.get()
                if all.isEmpty { all.reserveCapacity(meter.stated ?? 0) }
                all += block[..<count]
            } else if count == 0 {
                return all
            } else if errno != EINTR {
                throw FormatError(.cannotRead, path: path, SystemFailure.message(errno))
            }
        }
    }
}

/// What named pipes have brought, each read once, as files that have no name and go with the process.
///
/// A file is looked at several times: for what it is, and for what it holds. A pipe gives its bytes once only.
final class PipeContents: Sendable {
    static let shared = PipeContents()

    /// The milliseconds that somebody has to begin writing: the program at the other end may have been started with
    /// this one.
    private static let patience: Int32 = 2000

    private let files = Mutex<[FileTree.Identity: Result<Int32, FormatError>]>([:])

    /// Gives a file of what a pipe brings, and has brought.
    ///
    /// It waits as long as somebody has the pipe open for writing.
    ///
    /// - Parameters:
    ///   - pipe: the pipe, open for reading without waiting.
    ///   - limit: the most bytes that are taken.
    /// - Returns: a descriptor that the caller closes.
    /// - Throws: `FormatError` with the code `cannotRead`, or `unsupported` for more bytes.
    func file(
        of pipe: Int32, _ identity: FileTree.Identity, path: String, limit: Int
    ) throws(FormatError) -> Int32 {
        let file = try files.withLock { files -> Result<Int32, FormatError> in
            if let known = files[identity] { return known }
            let result = Result { () throws(FormatError) in try Self.copy(pipe, path: path, limit: limit) }
            files[identity] = result
            return result
        }.get()
        let copy = fcntl(file, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else {
            throw FormatError(.cannotRead, path: path, SystemFailure.message(errno))
        }
        return copy
    }

    private static func copy(_ pipe: Int32, path: String, limit: Int) throws(FormatError) -> Int32 {
        // A file without a name, which goes with the process.
        guard let stream = tmpfile() else {
            throw FormatError(
                .cannotRead, path: path,
                "there is no place for what the pipe brings: \(SystemFailure.message(errno))")
        }
        let file = fcntl(fileno(stream), F_DUPFD_CLOEXEC, 0)
        let failure = errno
        fclose(stream)
        guard file >= 0 else {
            throw FormatError(.cannotRead, path: path, SystemFailure.message(failure))
        }
        do throws(FormatError) {
            try fill(file, from: pipe, path: path, limit: limit)
            return file
        } catch {
            close(file)
            throw error
        }
    }

    private static func fill(
        _ file: Int32, from pipe: Int32, path: String, limit: Int
    ) throws(FormatError) {
        var block = [UInt8](repeating: 0, count: 1 << 18)
        let room = PipeMeter.room(for: file)
        var meter = PipeMeter(
            path: path, limit: min(limit, room),
            reason: limit <= room
                ? "that are read" : "that there is room for in the folder of temporary files")
        var hasBegun = false
        while true {
            let count = block.withUnsafeMutableBytes { Glibc.read(pipe, $0.baseAddress, $0.count) }
            if count > 0 {
                hasBegun = true
                try block.withUnsafeBytes { bytes in
                    let bytes = UnsafeRawBufferPointer(rebasing: bytes[..<count])
                    return Result { () throws(FormatError) in
                        try meter.add(bytes)
                        try FileBytes.write(bytes, to: file, path: path)
                    }
                }.get()
                continue
            }
            if count < 0, errno == EINTR { continue }
            guard count == 0 || errno == EAGAIN else {
                throw FormatError(.cannotRead, path: path, SystemFailure.message(errno))
            }
            // Nothing more comes, or nothing yet: somebody has the pipe open, or nobody has so far.
            if count == 0, hasBegun { return }
            hasBegun = hasBegun || count < 0
            var request = pollfd(fd: pipe, events: Int16(POLLIN), revents: 0)
            let events = poll(&request, 1, hasBegun ? -1 : patience)
            guard events != 0 else {
                throw FormatError(.cannotRead, path: path, "this is a pipe that nobody writes to")
            }
            hasBegun = hasBegun || events > 0
        }
    }
}
