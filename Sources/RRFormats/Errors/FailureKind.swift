/// What a failure means to whoever asked for something: the same few kinds in every interface.
package enum FailureKind: Sendable {
    /// An option or argument is wrong, or contradicts the data or another.
    case usage
    /// The data cannot be used as it is.
    case badData
    /// There is no such file.
    case noInput
    /// The output cannot be written, or is there already.
    case cannotWrite
    /// The system or the disk failed, or the file changed while it was read.
    case ioError
}

extension FormatError {
    package var kind: FailureKind {
        switch code {
        case .notFound: .noInput
        case .cannotRead, .changed, .inUse, .writeFailed: .ioError
        case .malformed, .unsupported: .badData
        case .outputExists, .cannotWrite: .cannotWrite
        case .conflictingPaths: .usage
        }
    }
}
