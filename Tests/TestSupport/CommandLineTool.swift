import Foundation

/// The built `rrdata`, run as a user runs it.
public enum CommandLineTool {
    /// The folder with the tests, and what is built with them.
    public static let folder = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().path

    /// The executable beside the tests, or the one that RRDATA_EXECUTABLE names: unoptimised, the parsing of a command line alone
    /// takes half a second.
    public static let path =
        ProcessInfo.processInfo.environment["RRDATA_EXECUTABLE"] ?? folder + "/rrdata"

    /// Runs a command in a folder and waits for its end.
    public static func run(_ arguments: [String], in folder: String) throws -> ChildProcess.Outcome {
        try ChildProcess.run(path, arguments, in: folder)
    }
}
