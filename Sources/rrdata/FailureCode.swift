import RRDatasets
import RRExplanation
import RRFormats
import RRNetworks
import RRStreaming
import RRTensor
import RRTraining

/// The exit code of a failed command, after BSD's `sysexits.h`.
enum FailureCode: Int32 {
    case usage = 64
    case badData = 65
    case noInput = 66
    case cannotWrite = 73
    case ioError = 74
    /// An error that no one expected: a bug of ours.
    case software = 70

    /// Returns nil for an error of the argument parser, which has its own way to say usage.
    init?(_ error: any Error) {
        switch error {
        case let error as FormatError: self.init(error.kind)
        case let error as DatasetError: self.init(error.kind)
        case is StandardOutputFailure: self = .ioError
        case let error as StreamError: self.init(error.kind)
        case let error as TrainingError: self = error.code == .invalidOption ? .usage : .badData
        case let error as ExplanationError: self = error.code == .impossibleSelection ? .usage : .badData
        case is NetworkError, is TensorError: self = .badData
        default: return nil
        }
    }

    private init(_ kind: FailureKind) {
        self =
            switch kind {
            case .usage: .usage
            case .badData: .badData
            case .noInput: .noInput
            case .cannotWrite: .cannotWrite
            case .ioError: .ioError
            }
    }
}
