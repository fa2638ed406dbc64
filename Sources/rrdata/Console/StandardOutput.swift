import Glibc
import RRFormats

/// The standard output as a pipe to another program.
struct StandardOutput {
    /// The bytes written so far.
    private(set) var byteCount = 0

    /// Writes bytes.
    ///
    /// - Returns: whether the reader still reads; false once it has closed the pipe.
    /// - Throws: `StandardOutputFailure`.
    mutating func write(_ bytes: UnsafeRawBufferPointer) throws(StandardOutputFailure) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = Glibc.write(
                STDOUT_FILENO, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if count >= 0 {
                rest = rest.dropFirst(count)
                byteCount += count
            } else if errno == EPIPE {
                return false
            } else if errno == EAGAIN {
                // Whoever started the process has left the pipe so that nobody waits at it.
                var request = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
                poll(&request, 1, -1)
            } else if errno != EINTR {
                throw StandardOutputFailure(number: errno)
            }
        }
        return true
    }

    /// Writes text as it stands, with all that a terminal obeys.
    ///
    /// - Throws: `StandardOutputFailure`.
    static func print(raw text: String) throws(StandardOutputFailure) {
        var output = StandardOutput()
        let bytes = Array(text.utf8)
        var failure: StandardOutputFailure?
        bytes.withUnsafeBytes { bytes in
            do throws(StandardOutputFailure) { _ = try output.write(bytes) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// Ends the output, which only then has reached its file on some file systems.
    ///
    /// - Throws: `StandardOutputFailure`.
    static func close() throws(StandardOutputFailure) {
        guard Glibc.close(STDOUT_FILENO) == 0 || errno == EINTR else {
            throw StandardOutputFailure(number: errno)
        }
    }

    /// The regular file that standard output is; nil for anything else.
    static var file: FileTree.Identity? {
        FileTree.kind(of: path) == .file ? FileTree.identity(of: path) : nil
    }

    private static let path = "/proc/self/fd/1"

    /// Lets nothing that is opened later be taken for one of the three standard streams, where the process was started
    /// without them: a result would be printed into a dataset.
    static func reserveStandardStreams() {
        for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
            // Open the wrong way, so that to use it is an error as it was before.
            _ = open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
        }
    }
}

/// A result that could not be printed.
struct StandardOutputFailure: ExplainedError {
    /// The system's number for what failed.
    let number: Int32

    var explanation: Message { "standard output: \(SystemFailure.message(number))" }
}
