internal import Glibc

/// What comes through a pipe, read whole into memory.
package enum PipedBytes {
    /// The path that stands for standard input.
    package static let standardInput = "-"

    /// Whether a path is of standard input or a pipe, whose bytes come once.
    package static func isPipe(_ path: String) -> Bool {
        var status = stat()
        return path == standardInput || (stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO)
    }

    /// Reads standard input, or a pipe by its path, to its end.
    ///
    /// - Returns: nil where the path is of no pipe.
    /// - Throws: `FormatError` with the code `cannotRead`.
    static func read(_ path: String) throws(FormatError) -> [UInt8]? {
        if path == standardInput {
            guard isatty(STDIN_FILENO) == 0 else {
                throw FormatError(
                    .cannotRead, path: path, "standard input is a terminal; pipe a file into it")
            }
            return try bytes(of: STDIN_FILENO, path)
        }
        guard isPipe(path) else { return nil }
        let file = try InputFile(reading: path)
        return try bytes(of: file.descriptor, path)
    }

    private static func bytes(of descriptor: Int32, _ path: String) throws(FormatError) -> [UInt8] {
        var all: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = block.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                all += block[..<count]
            } else if count == 0 {
                return all
            } else if errno != EINTR {
                throw FormatError(.cannotRead, path: path, SystemFailure.message(errno))
            }
        }
    }
}
