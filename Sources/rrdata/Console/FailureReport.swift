import RRDatasets
import RRExplanation
import RRFormats
import RRNetworks
import RRSchemas
import RRStreaming
import RRTensor
import RRTraining

/// What a command that fails tells programs: the one object of `--json`.
enum FailureReport {
    /// `{"error": {"code": "cannot-read", "exit": 74, "message": "x.npy: permission denied"}}`
    static func json(_ error: any Error, exit: FailureCode, message: String) -> JSONValue {
        [
            "error": [
                "code": .string(hyphenated(code(of: error))), "exit": .integer(Int(exit.rawValue)),
                "message": .string(message),
            ]
        ]
    }

    /// Whether the command line asks for JSON. Nothing else looks so, but for a file of this name behind `--`.
    static var isAskedFor: Bool { CommandLine.arguments.prefix { $0 != "--" }.contains("--json") }

    /// `wrongShape` as `wrong-shape`, as `validate` has the codes of its findings.
    private static func hyphenated(_ name: String) -> String {
        name.map { $0.isUppercase ? "-\($0.lowercased())" : String($0) }.joined()
    }

    /// The name of the error's code in the library.
    private static func code(of error: any Error) -> String {
        switch error {
        case let error as FormatError: "\(error.code)"
        case let error as DatasetError: "\(error.code)"
        case let error as StreamError: "\(error.code)"
        case let error as TrainingError: "\(error.code)"
        case let error as ExplanationError: "\(error.code)"
        case let error as NetworkError: "\(error.code)"
        case let error as TensorError: "\(error.code)"
        default: "unexpected"
        }
    }
}
