import Foundation

/// The built `rrdata`, run as a user runs it.
public enum CommandLineTool {
    /// The folder with the executable, beside the tests.
    public static let folder = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().path

    public static let path = folder + "/rrdata"

    /// Runs a command in a folder and waits for its end.
    public static func run(_ arguments: [String], in folder: String) throws -> ChildProcess.Outcome {
        try ChildProcess.run(path, arguments, in: folder)
    }
}
