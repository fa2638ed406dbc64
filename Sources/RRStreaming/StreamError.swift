internal import RRDatasets
public import RRFormats

/// A stream that cannot go on: which sample, in which file, and why.
public struct StreamError: ExplainedError, Sendable {
    public enum Code: String, Sendable {
        /// The system cannot read the image.
        case cannotRead
        /// The file ends before the image does, or the image is damaged.
        case damagedFile
        /// The file was written to while it was being streamed.
        case fileChanged
    }

    public let code: Code
    /// The row of the sample in the dataset.
    public let index: Int
    /// The id of the sample; nil where the file no longer says.
    public let id: String?
    /// The file, where known followed by the place inside it.
    public let path: String
    /// What is wrong, and the remedy where there is one.
    public let message: Message

    init(_ code: Code? = nil, sample index: Int, of dataset: Dataset, _ error: FormatError) {
        self.code =
            switch error.code {
            case .cannotRead, .inUse: code ?? .cannotRead
            case .changed: .fileChanged
            default: code ?? .damagedFile
            }
        self.index = index
        let ids = (try? dataset.ids()) ?? []
        id = ids.indices.contains(index) ? ids[index] : nil
        path = error.path
        message = error.message
    }

    /// `d.h5:/images: sample 13 (“sample-13”): the file ends before its data: it is cut short`
    public var explanation: Message {
        "\(path): sample \(index) (\(id.map { "“\($0)”" } ?? "its id cannot be read")): \(message)"
    }
}

extension StreamError {
    package var kind: FailureKind { code == .damagedFile ? .badData : .ioError }
}
