/// A file that could not be read or written, or that is not what its format says.
public struct FormatError: ExplainedError, Equatable, Sendable {
    public enum Code: Sendable {
        /// There is no such file or folder, or no such object inside the file.
        case notFound
        /// The operating system refused or failed to read.
        case cannotRead
        /// Another program has the file open for writing, or has left it as if it had.
        case inUse
        /// The file was written to, replaced or taken away after it was first looked at.
        case changed
        /// The bytes break the format's rules: a truncated, corrupt or hostile file.
        case malformed
        /// The bytes follow the format but use a feature that is not served.
        case unsupported
        /// The output is already there and was not to be replaced.
        case outputExists
        /// The operating system refused to write: there is no right to, no room, no such folder.
        case cannotWrite
        /// The disk failed while it was written to: an input/output error.
        case writeFailed
        /// An output is an input, or another output, of the same operation.
        case conflictingPaths
    }

    public let code: Code
    /// The file, where known followed by the object inside it: `data.h5:/images`.
    public let path: String
    /// What is wrong, and the remedy where there is one.
    public let message: Message

    /// `data.h5:/images: the dataset is empty`
    public var explanation: Message { "\(path): \(message)" }

    public init(_ code: Code, path: String, _ message: Message) {
        self.code = code
        self.path = path
        self.message = message
    }

    /// Takes a message that names no option, in one line.
    public init(_ code: Code, path: String, _ message: String) {
        self.init(code, path: path, Message(message.escaped(keepingLines: false)))
    }
}

extension FormatError {
    /// What is told where a file or folder is to be read on threads, and the system has none to give.
    package static func noThread(for path: String) -> FormatError {
        FormatError(
            .cannotRead, path: path,
            "the system gives no thread to read it with: its limit of threads is reached")
    }
}

/// The options that the messages of this module name: those of whoever has files read and written.
extension OptionName {
    static let force = OptionName("force")
    package static let trustsLinks = OptionName("trustsLinks")
}
